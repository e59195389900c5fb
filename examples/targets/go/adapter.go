// A small translator in Go, as a child of the judge: docs/targets.md.
//
//	go build -o adapter adapter.go && vtap conform --family arp --target exec:./adapter
//
// It answers ARP, asks for whom it does not know, adds and cuts the header; it holds no packet,
// knows no gateway, no clock, no IPv6. Yours keeps readMessage, writeMessage and main.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"strings"
)

const header, arpLength, never = 14, 28, ^uint64(0)

var (
	in        = bufio.NewReader(os.Stdin)
	out       = bufio.NewWriter(os.Stdout)
	broadcast = []byte{255, 255, 255, 255, 255, 255}
	request   = []byte{0, 1, 8, 0, 6, 4, 0, 1}
	reply     = []byte{0, 1, 8, 0, 6, 4, 0, 2}
)

// readMessage gives the kind and the body; the judge ends us by closing our stdin.
func readMessage() (byte, []byte) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(in, head); err != nil {
		os.Exit(0)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-1)
	if _, err := io.ReadFull(in, body); err != nil {
		os.Exit(1)
	}
	return head[4], body
}

func writeMessage(kind byte, body []byte) {
	binary.Write(out, binary.BigEndian, uint32(len(body)+1))
	out.WriteByte(kind)
	out.Write(body)
}

type translator struct {
	mac, ip   []byte
	neighbors map[string][]byte
}

// start gives the translator, or the reason why it cannot be what the judge asks for.
func start(text string) (*translator, string) {
	told := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		key, value, _ := strings.Cut(line, "=")
		told[key] = value
	}
	if told["schema"] != "1" {
		os.Exit(1)
	}
	if told["dhcp"] == "1" {
		return nil, "it is no DHCP client"
	}
	mac, _ := hex.DecodeString(told["our_mac"])
	ip, _ := hex.DecodeString(told["our_ip"])
	if len(ip) == 0 {
		return nil, "it needs an address"
	}
	return &translator{mac, ip, map[string][]byte{}}, ""
}

func (t *translator) sendFrame(to []byte, kind uint16, body []byte) {
	frame := append(append([]byte{}, to...), t.mac...)
	writeMessage('F', append(binary.BigEndian.AppendUint16(frame, kind), body...))
}

func (t *translator) sendArp(form, to, mac, ip []byte) {
	t.sendFrame(to, 0x0806, bytes.Join([][]byte{form, t.mac, t.ip, mac, ip}, nil))
}

func (t *translator) fromHost(packet []byte) {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return
	}
	to := packet[16:20]
	if mac, known := t.neighbors[string(to)]; known {
		t.sendFrame(mac, 0x0800, packet)
	} else {
		t.sendArp(request, broadcast, make([]byte, 6), to)
	}
}

func (t *translator) fromLan(frame []byte) {
	if len(frame) < header+20 || !bytes.Equal(frame[:6], t.mac) && !bytes.Equal(frame[:6], broadcast) {
		return
	}
	kind, body := binary.BigEndian.Uint16(frame[12:]), frame[header:]
	if kind == 0x0800 {
		if length := int(binary.BigEndian.Uint16(body[2:])); length <= len(body) {
			writeMessage('P', body[:length]) // without the padding
		}
	} else if kind == 0x0806 && len(body) >= arpLength && bytes.Equal(body[24:28], t.ip) {
		asks := bytes.Equal(body[:8], request)
		if !asks && !bytes.Equal(body[:8], reply) {
			return
		}
		t.neighbors[string(body[14:18])] = body[8:14]
		if asks {
			t.sendArp(reply, body[8:14], body[8:14], body[14:18])
		}
	}
}

func main() {
	kind, body := readMessage()
	t, why := start(string(body))
	for {
		switch kind { // before what came stand eight bytes: the time
		case 'P':
			t.fromHost(body[8:])
		case 'F':
			t.fromLan(body[8:])
		}
		if why != "" {
			writeMessage('U', []byte(why))
		} else { // no deadline: nothing here waits for time to pass
			writeMessage('D', binary.BigEndian.AppendUint64(nil, never))
		}
		out.Flush()
		kind, body = readMessage()
	}
}
