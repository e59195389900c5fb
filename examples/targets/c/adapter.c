/* A small translator in C, as a child of the judge: docs/targets.md.

   cc -O2 -o adapter adapter.c && vtap conform --family arp --target exec:./adapter

   It answers ARP, asks for whom it does not know, adds and cuts the header; it holds no packet,
   knows no gateway, no clock, no IPv6. Yours keeps `read_message`, `write_message` and `main`. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 65600, HEADER = 14, ARP = 28, NEIGHBORS = 64 };
static const uint8_t BROADCAST[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t REQUEST[8] = {0, 1, 8, 0, 6, 4, 0, 1}, REPLY[8] = {0, 1, 8, 0, 6, 4, 0, 2};

static uint8_t in[MAX], out[MAX];
static uint8_t our_mac[6], our_ip[4];
static struct { uint8_t ip[4], mac[6]; } neighbors[NEIGHBORS];
static int known;

/* The length of what came into `in`, its kind before it; the judge ends us by closing stdin. */
static size_t read_message(uint8_t *kind) {
    uint8_t head[5];
    if (fread(head, 1, 5, stdin) < 5) exit(0);
    uint32_t length = (uint32_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
    if (length < 1 || length > MAX || fread(in, 1, length - 1, stdin) < length - 1) exit(1);
    *kind = head[4];
    return length - 1;
}

static void write_message(uint8_t kind, const void *body, size_t size) {
    uint32_t n = (uint32_t)size + 1;
    uint8_t head[5] = {n >> 24, n >> 16, n >> 8, n, kind};
    fwrite(head, 1, 5, stdout);
    fwrite(body, 1, size, stdout);
}

/* `key=` and hexadecimal digits, two for a byte: false where it has no value. */
static bool read_bytes(const char *text, const char *key, uint8_t *to, int size) {
    const char *at = strstr(text, key);
    if (!at || at[strlen(key)] == '\n') return false;
    for (int i = 0; i < size; i++) sscanf(at + strlen(key) + 2 * i, "%2hhx", &to[i]);
    return true;
}

static const char *init(size_t size) {
    in[size] = 0;
    const char *text = (const char *)in;
    if (!strstr(text, "schema=1\n")) exit(1);
    if (strstr(text, "\ndhcp=1")) return "it is no DHCP client";
    if (!read_bytes(text, "\nour_ip=", our_ip, 4)) return "it needs an address";
    read_bytes(text, "\nour_mac=", our_mac, 6);
    return NULL;
}

static void send_frame(const uint8_t *to, uint16_t type, const void *body, size_t size) {
    memcpy(out, to, 6);
    memcpy(out + 6, our_mac, 6);
    out[12] = type >> 8, out[13] = (uint8_t)type;
    memcpy(out + HEADER, body, size);
    write_message('F', out, HEADER + size);
}

static void send_arp(const uint8_t *form, const uint8_t *mac, const uint8_t *ip) {
    uint8_t arp[ARP] = {0};
    memcpy(arp, form, 8);
    memcpy(arp + 8, our_mac, 6);
    memcpy(arp + 14, our_ip, 4);
    if (mac) memcpy(arp + 18, mac, 6);
    memcpy(arp + 24, ip, 4);
    send_frame(mac ? mac : BROADCAST, 0x0806, arp, ARP);
}

static void learn(const uint8_t *ip, const uint8_t *mac) {
    int i = 0;
    while (i < known && memcmp(neighbors[i].ip, ip, 4)) i++;
    if (i == NEIGHBORS) return;
    if (i == known) known++;
    memcpy(neighbors[i].ip, ip, 4);
    memcpy(neighbors[i].mac, mac, 6);
}

static void from_host(const uint8_t *packet, size_t size) {
    if (size < 20 || packet[0] >> 4 != 4) return;
    const uint8_t *to = packet + 16;
    for (int i = 0; i < known; i++)
        if (!memcmp(neighbors[i].ip, to, 4)) return send_frame(neighbors[i].mac, 0x0800, packet, size);
    send_arp(REQUEST, NULL, to);
}

static void from_lan(const uint8_t *frame, size_t size) {
    const uint8_t *body = frame + HEADER;
    if (size < HEADER + 20 || (memcmp(frame, our_mac, 6) && memcmp(frame, BROADCAST, 6))) return;
    if (!memcmp(frame + 12, "\x08\x00", 2)) {
        size_t length = (size_t)body[2] << 8 | body[3];
        if (length <= size - HEADER) write_message('P', body, length); /* without the padding */
    } else if (!memcmp(frame + 12, "\x08\x06", 2) && size >= HEADER + ARP) {
        bool asks = !memcmp(body, REQUEST, 8);
        if ((!asks && memcmp(body, REPLY, 8)) || memcmp(body + 24, our_ip, 4)) return;
        learn(body + 14, body + 8);
        if (asks) send_arp(REPLY, body + 8, body + 14);
    }
}

int main(void) {
    uint8_t kind, never[8];
    memset(never, 255, sizeof never); /* no deadline: nothing here waits for time to pass */
    size_t size = read_message(&kind);
    const char *why = init(size);
    for (;;) {
        if (kind == 'P') from_host(in + 8, size - 8); /* before it stand eight bytes: the time */
        if (kind == 'F') from_lan(in + 8, size - 8);
        if (why) write_message('U', why, strlen(why));
        else write_message('D', never, 8);
        fflush(stdout);
        size = read_message(&kind);
    }
}
