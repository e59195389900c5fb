/* A small translator with the predecessor's interface: answers ARP, wraps and unwraps IPv4.
   WRONG says how it misbehaves: 1 crashes, 2 hangs, 3 floods, 4 spins, 5 ends the process. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef WRONG
#define WRONG 0
#endif

typedef struct {
    uint8_t our_mac[6];
    uint32_t our_ip, gateway_ip;
    uint8_t gateway_mac[6];
    bool handle_arp, learn_ip, learn_gateway_mac, enable_dns_cache, verbose;
} config;

typedef struct {
    config c;
    uint8_t peer_mac[6], peer_ip[4], reply[42];
    bool knows, pending;
} translator;

static void misbehave(void) {
    if (WRONG == 1) *(volatile int *)0 = 1;
    while (WRONG == 2) pause();
    for (volatile int forever = 1; WRONG == 4 && forever;) {}
    if (WRONG == 5) exit(7);
}

void *virtual_tap_create(const config *c) {
    translator *t = calloc(1, sizeof *t);
    if (t) t->c = *c;
    return t;
}

void virtual_tap_destroy(translator *t) { free(t); }

int32_t virtual_tap_ip_to_ethernet(
    translator *t, const uint8_t *packet, uint32_t length, uint8_t *out, uint32_t capacity) {
    misbehave();
    if (length < 20 || packet[0] >> 4 != 4) return -2;
    if (capacity < length + 14) return -3;
    bool near = t->knows && memcmp(packet + 16, t->peer_ip, 4) == 0;
    if (near) memcpy(out, t->peer_mac, 6);
    else memset(out, 0xff, 6); /* as the predecessor does while it knows nobody */
    memcpy(out + 6, t->c.our_mac, 6);
    memcpy(out + 12, "\x08\x00", 2);
    memcpy(out + 14, packet, length);
    return (int32_t)length + 14;
}

static void receive_arp(translator *t, const uint8_t *arp) {
    uint8_t ours[4] = {t->c.our_ip >> 24, t->c.our_ip >> 16, t->c.our_ip >> 8, t->c.our_ip};
    if (!t->c.handle_arp || memcmp(arp, "\0\1\x08\0\6\4\0\1", 8) || memcmp(arp + 24, ours, 4)) return;
    memcpy(t->peer_mac, arp + 8, 6);
    memcpy(t->peer_ip, arp + 14, 4);
    memcpy(t->reply, t->peer_mac, 6);
    memcpy(t->reply + 6, t->c.our_mac, 6);
    memcpy(t->reply + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10);
    memcpy(t->reply + 22, t->c.our_mac, 6);
    memcpy(t->reply + 28, ours, 4);
    memcpy(t->reply + 32, arp + 8, 10);
    t->knows = t->pending = true;
}

int32_t virtual_tap_ethernet_to_ip(
    translator *t, const uint8_t *frame, uint32_t length, uint8_t *out, uint32_t capacity) {
    misbehave();
    if (length < 14) return -2;
    if (memcmp(frame + 12, "\x08\x06", 2) == 0 && length >= 42) receive_arp(t, frame + 14);
    if (memcmp(frame + 12, "\x08\x00", 2) || length > capacity) return 0;
    memcpy(out, frame + 14, length - 14); /* the padding too, as many do */
    return (int32_t)length - 14;
}

bool virtual_tap_has_pending_arp_reply(translator *t) { return WRONG == 3 || t->pending; }

int32_t virtual_tap_pop_arp_reply(translator *t, uint8_t *out, uint32_t capacity) {
    (void)capacity;
    t->pending = false;
    memcpy(out, t->reply, 42);
    return WRONG == 3 ? 65000 : 42;
}
