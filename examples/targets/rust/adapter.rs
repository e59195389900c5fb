//! A small translator in Rust, as a child of the judge: docs/targets.md.
//!
//!     rustc -O adapter.rs && vtap conform --family arp --target exec:./adapter
//!
//! It answers ARP, asks for whom it does not know, adds and cuts the header; it holds no packet,
//! knows no gateway, no clock, no IPv6. Yours keeps `read_message`, `write_message` and `main`.
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::process::exit;

const HEADER: usize = 14;
const ARP: usize = 28;
const BROADCAST: [u8; 6] = [255; 6];
const REQUEST: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];
const REPLY: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 2];

/// The kind and the body; the judge ends us by closing our stdin.
fn read_message() -> (u8, Vec<u8>) {
    let mut head = [0; 5];
    if io::stdin().read_exact(&mut head).is_err() {
        exit(0);
    }
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let mut body = vec![0; length as usize - 1];
    io::stdin().read_exact(&mut body).expect("a whole message");
    (head[4], body)
}

fn write_message(kind: u8, body: &[u8]) {
    let length = (body.len() as u32 + 1).to_be_bytes();
    let message = [&length[..], &[kind], body].concat();
    io::stdout().write_all(&message).expect("a judge who reads");
}

struct Translator {
    mac: Vec<u8>,
    ip: Vec<u8>,
    neighbors: HashMap<Vec<u8>, Vec<u8>>,
}

/// The bytes that hexadecimal digits mean, two for each.
fn bytes(text: &str) -> Vec<u8> {
    let digits = |i| u8::from_str_radix(&text[i..i + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

/// The translator, or the reason why it cannot be what the judge asks for.
fn start(text: &str) -> Result<Translator, &'static str> {
    let told: HashMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    assert_eq!(told["schema"], "1");
    if told["dhcp"] == "1" {
        return Err("it is no DHCP client");
    }
    if told["our_ip"].is_empty() {
        return Err("it needs an address");
    }
    Ok(Translator {
        mac: bytes(told["our_mac"]),
        ip: bytes(told["our_ip"]),
        neighbors: HashMap::new(),
    })
}

impl Translator {
    fn send_frame(&self, to: &[u8], kind: u16, body: &[u8]) {
        write_message(b'F', &[to, &self.mac, &kind.to_be_bytes(), body].concat());
    }

    fn send_arp(&self, form: &[u8], to: &[u8], mac: &[u8], ip: &[u8]) {
        self.send_frame(to, 0x0806, &[form, &self.mac, &self.ip, mac, ip].concat());
    }

    fn from_host(&self, packet: &[u8]) {
        if packet.len() < 20 || packet[0] >> 4 != 4 {
            return;
        }
        let to = &packet[16..20];
        match self.neighbors.get(to) {
            Some(mac) => self.send_frame(mac, 0x0800, packet),
            None => self.send_arp(&REQUEST, &BROADCAST, &[0; 6], to),
        }
    }

    fn from_lan(&mut self, frame: &[u8]) {
        if frame.len() < HEADER + 20 || (frame[..6] != self.mac && frame[..6] != BROADCAST) {
            return;
        }
        let (kind, body) = (&frame[12..14], &frame[HEADER..]);
        if kind == [0x08, 0x00] {
            let length = u16::from_be_bytes([body[2], body[3]]) as usize;
            if length <= body.len() {
                write_message(b'P', &body[..length]); // without the padding
            }
        } else if kind == [0x08, 0x06] && body.len() >= ARP && body[24..28] == self.ip {
            let asks = body[..8] == REQUEST;
            if !asks && body[..8] != REPLY {
                return;
            }
            self.neighbors
                .insert(body[14..18].to_vec(), body[8..14].to_vec());
            if asks {
                self.send_arp(&REPLY, &body[8..14], &body[8..14], &body[14..18]);
            }
        }
    }
}

fn main() {
    let (_, text) = read_message();
    let mut translator = start(&String::from_utf8_lossy(&text));
    loop {
        match &translator {
            Err(why) => write_message(b'U', why.as_bytes()),
            // no deadline: nothing here waits for time to pass
            Ok(_) => write_message(b'D', &u64::MAX.to_be_bytes()),
        }
        io::stdout().flush().expect("a judge who reads");
        let (kind, body) = read_message();
        let data = &body[8..]; // before it stand eight bytes: the time
        match (kind, &mut translator) {
            (b'P', Ok(it)) => it.from_host(data),
            (b'F', Ok(it)) => it.from_lan(data),
            _ => (),
        }
    }
}
