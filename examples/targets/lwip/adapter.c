/* lwIP (2.1, as Debian's liblwip-dev builds it) as a child of the judge: docs/targets.md.

   cc -O2 -o adapter adapter.c $(pkg-config --cflags --libs lwip)
   vtap conform --target exec:./adapter

   lwIP is the neighbour and the network layer below a host: what its raw_input is shown, after all
   its checks, is what the host gets; what the host sends goes through its output functions, where
   it finds next hop and MAC. Its timers are run by the judge's clock. What it says of itself when
   it comes up is kept back where the configuration asks for silence. It has the addresses of the
   configuration and no others: no link-local one, which lwIP needs to ask for link-local ones. */
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/icmp.h>
#include <lwip/igmp.h>
#include <lwip/init.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/priv/raw_priv.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX = 65600 };
static const uint64_t LONGEST = 86400000000000; /* a day of ticks takes seconds of ours */
static uint8_t in[MAX + 1], out[MAX];
static struct netif lan;
static FILE *judge; /* stdout; what lwIP prints itself goes to stderr */
static bool silent, tells_groups; /* while it comes up; whether reports of groups are asked for */

/* The second ones run where groups are: nothing else of ours waits for them. */
static struct { uint64_t every, due; void (*run)(void); bool for_groups; } timers[] = {
    {1000000000, 0, etharp_tmr, false}, {1000000000, 0, ip_reass_tmr, false},
    {1000000000, 0, nd6_tmr, false},    {1000000000, 0, ip6_reass_tmr, false},
    {100000000, 0, igmp_tmr, true},     {100000000, 0, mld6_tmr, true},
};
enum { TIMERS = sizeof timers / sizeof *timers };

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
    fwrite(head, 1, 5, judge);
    fwrite(body, 1, size, judge);
}

static uint64_t number(const uint8_t *eight) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | eight[i];
    return value;
}

/* The protocol of an IPv6 packet, behind the headers that lwIP reads on the way; where it starts. */
static uint8_t protocol6(const uint8_t *packet, size_t size, size_t *start) {
    uint8_t next = packet[6];
    *start = 40;
    while ((next == 0 || next == 43 || next == 60) && *start + 8 <= size) {
        next = packet[*start];
        *start += 8 * (packet[*start + 1] + 1u);
    }
    return next;
}

static bool is_of_groups(const uint8_t *frame, size_t size) {
    size_t start;
    if (frame[12] == 0x08 && frame[13] == 0x00) return frame[23] == 2;
    if (frame[12] != 0x86 || protocol6(frame + 14, size - 14, &start) != 58) return false;
    uint8_t type = frame[14 + start];
    return type == 131 || type == 132 || type == 143;
}

static err_t to_lan(struct netif *netif, struct pbuf *p) {
    (void)netif;
    size_t size = pbuf_copy_partial(p, out, p->tot_len, 0);
    if (!silent && (tells_groups || !is_of_groups(out, size))) write_message('F', out, size);
    return ERR_OK;
}

/* In the library's place: what has passed lwIP's checks is for the host, but for what lwIP needs. */
raw_input_state_t raw_input(struct pbuf *p, struct netif *netif) {
    (void)netif;
    size_t start, size = pbuf_copy_partial(p, out, p->tot_len, 0);
    if (out[0] >> 4 == 4 && out[9] == 2 && tells_groups) return RAW_INPUT_NONE;
    if (out[0] >> 4 == 6 && protocol6(out, size, &start) == 58) {
        uint8_t type = out[start];
        if ((type >= 133 && type <= 137) || (type >= 130 && type <= 132 && tells_groups))
            return RAW_INPUT_NONE;
    }
    write_message('P', out, size);
    pbuf_free(p);
    return RAW_INPUT_EATEN;
}

/* What stands behind `key=`, up to the end of its line. */
static const char *value(const char *key) {
    static char found[MAX];
    char line[64];
    snprintf(line, sizeof line, "\n%s=", key);
    const char *at = strstr((const char *)in, line);
    snprintf(found, sizeof found, "%.*s", at ? (int)strcspn(at + strlen(line), "\n") : 0,
             at ? at + strlen(line) : "");
    return found;
}

static bool is(const char *key, const char *text) { return !strcmp(value(key), text); }

/* The bytes that hexadecimal digits mean, up to a comma: how many. */
static int bytes(const char *text, uint8_t *to) {
    int count = 0;
    while (count < 16 && sscanf(text + 2 * count, "%2hhx", &to[count]) == 1) count++;
    return count;
}

/* In the library's place: there is no thread to wake; `from_host` asks netif_poll itself. */
err_t tcpip_try_callback(tcpip_callback_fn function, void *context) {
    (void)function, (void)context;
    return ERR_OK;
}

static err_t lan_init(struct netif *netif) {
    netif->name[0] = 'v', netif->name[1] = 't';
    netif->mtu = netif->mtu6 = atoi(value("mtu"));
    netif->hwaddr_len = bytes(value("our_mac"), netif->hwaddr);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_LINK_UP | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = to_lan;
    return ERR_OK;
}

static void add_address6(const char *text) {
    ip6_addr_t address = {0};
    s8_t index;
    bytes(text, (uint8_t *)address.addr);
    ip6_addr_assign_zone(&address, IP6_UNICAST, &lan);
    if (netif_add_ip6_address(&lan, &address, &index) == ERR_OK && is("dad", "0"))
        netif_ip6_addr_set_state(&lan, index, IP6_ADDR_PREFERRED);
}

static void join(const char *text) {
    uint8_t address[16];
    if (bytes(text, address) == 4) {
        ip4_addr_t group;
        memcpy(&group.addr, address, 4);
        igmp_joingroup_netif(&lan, &group);
    } else {
        ip6_addr_t group = {0};
        memcpy(group.addr, address, 16);
        ip6_addr_assign_zone(&group, IP6_MULTICAST, &lan);
        mld6_joingroup_netif(&lan, &group);
    }
}

static void each(const char *key, void (*action)(const char *)) {
    char *list = strdup(value(key));
    for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) action(one);
    free(list);
}

/* lwIP keeps a list of routers that advertise; this one never did. */
static void set_gateway6(void) {
    static struct nd6_neighbor_cache_entry router;
    if (bytes(value("gateway_ip6"), (uint8_t *)router.next_hop_address.addr) < 16) return;
    ip6_addr_assign_zone(&router.next_hop_address, IP6_UNICAST, &lan);
    router.netif = &lan, router.state = ND6_REACHABLE, router.isrouter = 1;
    default_router_list[0] = (struct nd6_router_list_entry){&router, 0xffffffff, 0};
}

/* What it is asked for and lacks; NULL: nothing. */
static const char *lacks(void) {
    if (!is("dhcp", "0")) return "this build has no DHCP client";
    if (is("our_ip", "")) return "it needs an address";
    if (is("claim", "probed")) return "it probes no IPv4 address";
    if (is("handle_arp_internally", "0")) return "its ARP cannot be left to the caller";
    if (!is("gateway_mac", "")) return "this build keeps no configured MAC";
    if (!is("vlan_id", "")) return "this build knows no VLAN";
    if (!is("routes", "")) return "it has no table of routes";
    if (is("clamp_mss", "1")) return "it changes no segment of the host's";
    if (!is("hosts", "") || is("admit_hosts", "1")) return "it has one host behind it";
    if (strstr((const char *)in, "\nserve.")) return "it serves nobody";
    if (is("dns_cache", "1")) return "it keeps no answers for others";
    if (!is("validate", "strict")) return "its checks are not to choose";
    return NULL;
}

static const char *init(void) {
    const char *why = lacks();
    ip4_addr_t address = {0}, gateway = {0}, mask;
    if (why) return why;
    bytes(value("our_ip"), (uint8_t *)&address.addr);
    bytes(value("gateway_ip"), (uint8_t *)&gateway.addr);
    int prefix = atoi(value("prefix_length"));
    mask.addr = lwip_htonl(prefix ? 0xffffffffu << (32 - prefix) : 0);
    srand(atoi(value("random_seed")));
    lwip_init();
    silent = !is("claim", "announced") && is("groups", "");
    tells_groups = !is("groups", "");
    netif_add(&lan, &address, &mask, &gateway, NULL, lan_init, ethernet_input);
    netif_set_default(&lan);
    netif_set_up(&lan);
    lan.ip6_autoconfig_enabled = is("slaac", "1");
    if (lan.ip6_autoconfig_enabled) netif_create_ip6_linklocal_address(&lan, 1);
    else lan.rs_count = 0;
    each("our_ip6", add_address6);
    each("groups", join);
    set_gateway6();
    silent = false;
    return NULL;
}

static struct pbuf *taken(const uint8_t *data, size_t size, pbuf_layer layer) {
    struct pbuf *p = pbuf_alloc(layer, size, PBUF_RAM);
    if (!p || pbuf_take(p, data, size) != ERR_OK) exit(1);
    return p;
}

static void from_host(const uint8_t *packet, size_t size) {
    struct pbuf *p;
    if (size >= 20 && packet[0] >> 4 == 4) {
        ip4_addr_t to;
        memcpy(&to.addr, packet + 16, 4);
        p = taken(packet, size, PBUF_LINK);
        if (size <= lan.mtu) lan.output(&lan, p, &to);
        else if (packet[6] & 0x40) icmp_dest_unreach(p, ICMP_DUR_FRAG);
        else ip4_frag(p, &lan, &to);
    } else if (size >= 40 && packet[0] >> 4 == 6 && size <= lan.mtu) {
        ip6_addr_t to = {0};
        memcpy(to.addr, packet + 24, 16);
        ip6_addr_assign_zone(&to, IP6_UNKNOWN, &lan);
        p = taken(packet, size, PBUF_LINK);
        lan.output_ip6(&lan, p, &to);
    } else return;
    pbuf_free(p);
    netif_poll(&lan); /* what it told the host by ICMP */
}

static void from_lan(const uint8_t *frame, size_t size) {
    if (size < 14 || size > UINT16_MAX) return;
    if (memcmp(frame, lan.hwaddr, 6) && !(frame[0] & 1)) return; /* as an Ethernet card does */
    struct pbuf *p = taken(frame, size, PBUF_RAW);
    if (lan.input(p, &lan) != ERR_OK) pbuf_free(p);
}

/* Runs what is due by `now`; gives when the next one is. */
static uint64_t run_timers(uint64_t now) {
    uint64_t next = UINT64_MAX;
    for (int i = 0; i < TIMERS; i++) {
        if (timers[i].for_groups && !tells_groups) continue;
        if (!timers[i].due) timers[i].due = timers[i].every;
        for (; timers[i].due <= now; timers[i].due += timers[i].every) timers[i].run();
        if (timers[i].due < next) next = timers[i].due;
    }
    return next;
}

int main(void) {
    uint8_t kind, deadline[8];
    judge = fdopen(dup(1), "wb");
    dup2(2, 1);
    in[read_message(&kind)] = 0;
    if (memcmp(in, "schema=1\n", 9)) return 1;
    const char *why = init();
    for (uint64_t now = 0;;) {
        uint64_t next = why ? 0 : run_timers(now);
        for (int i = 0; i < 8; i++) deadline[i] = next >> (56 - 8 * i);
        if (why) write_message('U', why, strlen(why));
        else write_message('D', deadline, 8);
        fflush(judge);
        size_t size = read_message(&kind);
        now = number(in);
        if (now > LONGEST) {
            why = "it ticks each second: a day is the longest that it is run";
            continue;
        }
        run_timers(now);
        if (kind == 'P') from_host(in + 8, size - 8);
        if (kind == 'F') from_lan(in + 8, size - 8);
    }
}
