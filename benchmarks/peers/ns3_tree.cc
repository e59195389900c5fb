// The tree of examples/tree-8x16.toml, built from ns-3's own bridges, stack and applications.
//
//   --device=simple   SimpleNetDevice: full duplex, as the work asks; no Ethernet header on the wire
//   --device=csma     CsmaNetDevice: half duplex, Ethernet frames
//   --checksums=1     IPv4 and UDP checksums are computed and checked
//   --scheduler=NAME  ns-3's event queue
//   --count=1         count the crossings through a trace; off where the time is what matters
//
// Prints one JSON object on one line. `wall_s` is the event loop alone, without building the tree.
#include "ns3/applications-module.h"
#include "ns3/bridge-module.h"
#include "ns3/core-module.h"
#include "ns3/csma-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/version-defines.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr uint32_t SWITCHES = 8;
constexpr uint32_t HOSTS_EACH = 16;
constexpr uint32_t HOSTS = SWITCHES * HOSTS_EACH;
constexpr uint32_t PAYLOAD = 1000;
constexpr uint16_t PORT = 9;

uint64_t g_crossings = 0;

void CountOne(ns3::Ptr<const ns3::Packet>) { ++g_crossings; }

uint32_t ReceiverOf(uint32_t sender) {
  const uint32_t receiver = (sender + HOSTS / 2 + 7 * sender) % HOSTS;
  return receiver == sender ? (sender + 1) % HOSTS : receiver;
}

// One link between two nodes: the device at each end, first node's first.
using Connect = std::function<ns3::NetDeviceContainer(ns3::Ptr<ns3::Node>, ns3::Ptr<ns3::Node>)>;

Connect FullDuplex() {
  ns3::SimpleNetDeviceHelper helper;
  helper.SetDeviceAttribute("DataRate", ns3::DataRateValue(ns3::DataRate("1Gbps")));
  helper.SetChannelAttribute("Delay", ns3::TimeValue(ns3::MicroSeconds(5)));
  // not its point-to-point mode: bridges flood without end there
  return [helper](ns3::Ptr<ns3::Node> a, ns3::Ptr<ns3::Node> b) {
    return helper.Install(ns3::NodeContainer(a, b));
  };
}

Connect HalfDuplex() {
  ns3::CsmaHelper helper;
  helper.SetChannelAttribute("DataRate", ns3::DataRateValue(ns3::DataRate("1Gbps")));
  helper.SetChannelAttribute("Delay", ns3::TimeValue(ns3::MicroSeconds(5)));
  return [helper](ns3::Ptr<ns3::Node> a, ns3::Ptr<ns3::Node> b) {
    return helper.Install(ns3::NodeContainer(a, b));
  };
}

// Wires the tree, makes the switches learn, and returns the hosts' cards in the hosts' order.
ns3::NetDeviceContainer BuildTree(const ns3::NodeContainer& switches,
                                  const ns3::NodeContainer& hosts, const Connect& connect) {
  std::vector<ns3::NetDeviceContainer> ports(SWITCHES);
  ns3::NetDeviceContainer cards;
  for (uint32_t s = 1; s < SWITCHES; ++s) {
    const uint32_t parent = (s - 1) / 2;
    const ns3::NetDeviceContainer trunk = connect(switches.Get(parent), switches.Get(s));
    ports[parent].Add(trunk.Get(0));
    ports[s].Add(trunk.Get(1));
  }
  for (uint32_t h = 0; h < HOSTS; ++h) {
    const uint32_t s = h / HOSTS_EACH;
    const ns3::NetDeviceContainer access = connect(hosts.Get(h), switches.Get(s));
    cards.Add(access.Get(0));
    ports[s].Add(access.Get(1));
  }
  ns3::BridgeHelper bridge;
  for (uint32_t s = 0; s < SWITCHES; ++s) {
    bridge.Install(switches.Get(s), ports[s]);
  }
  return cards;
}

// Gives every host its stack and address, a receiver, and a sender that starts in its turn.
ns3::ApplicationContainer StartTraffic(const ns3::NodeContainer& hosts,
                                       const ns3::NetDeviceContainer& cards) {
  ns3::InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.Install(hosts);
  ns3::Ipv4AddressHelper plan("10.0.0.0", "255.255.0.0");
  const ns3::Ipv4InterfaceContainer addresses = plan.Assign(cards);

  const ns3::ApplicationContainer receivers = ns3::UdpServerHelper(PORT).Install(hosts);
  for (uint32_t h = 0; h < HOSTS; ++h) {
    ns3::UdpClientHelper sender(addresses.GetAddress(ReceiverOf(h)), PORT);
    sender.SetAttribute("PacketSize", ns3::UintegerValue(PAYLOAD));
    sender.SetAttribute("Interval", ns3::TimeValue(ns3::MilliSeconds(5)));
    sender.SetAttribute("MaxPackets", ns3::UintegerValue(UINT32_MAX));
    sender.Install(hosts.Get(h)).Start(ns3::MilliSeconds(10) + ns3::MicroSeconds(10 * h));
  }
  return receivers;
}

// Hangs the counter where a frame leaves each card or port, which it does once for each crossing.
void CountCrossings(const ns3::NodeContainer& nodes) {
  const auto count = ns3::MakeCallback(&CountOne);
  for (auto node = nodes.Begin(); node != nodes.End(); ++node) {
    for (uint32_t d = 0; d < (*node)->GetNDevices(); ++d) {
      const ns3::Ptr<ns3::NetDevice> device = (*node)->GetDevice(d);
      if (const auto simple = ns3::DynamicCast<ns3::SimpleNetDevice>(device)) {
        simple->GetQueue()->TraceConnectWithoutContext("Dequeue", count);
      } else if (ns3::DynamicCast<ns3::CsmaNetDevice>(device)) {
        device->TraceConnectWithoutContext("PhyTxEnd", count);
      }
    }
  }
}

uint64_t Delivered(const ns3::ApplicationContainer& receivers) {
  uint64_t total = 0;
  for (auto app = receivers.Begin(); app != receivers.End(); ++app) {
    total += ns3::DynamicCast<ns3::UdpServer>(*app)->GetReceived();
  }
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  std::string device = "simple";
  std::string scheduler = "ns3::MapScheduler";
  bool checksums = true;
  bool count = false;
  ns3::CommandLine options;
  options.AddValue("device", "simple or csma", device);
  options.AddValue("checksums", "compute and check IPv4 and UDP checksums", checksums);
  options.AddValue("scheduler", "type of the event queue", scheduler);
  options.AddValue("count", "count the crossings", count);
  options.Parse(argc, argv);
  if (device != "simple" && device != "csma") {
    std::fprintf(stderr, "error: no device `%s` (hint: simple, csma)\n", device.c_str());
    return 2;
  }
  ns3::GlobalValue::Bind("SchedulerType", ns3::StringValue(scheduler));
  ns3::GlobalValue::Bind("ChecksumEnabled", ns3::BooleanValue(checksums));

  const ns3::NodeContainer switches(SWITCHES);
  const ns3::NodeContainer hosts(HOSTS);
  const Connect connect = device == "simple" ? FullDuplex() : HalfDuplex();
  const auto receivers = StartTraffic(hosts, BuildTree(switches, hosts, connect));
  if (count) {
    CountCrossings(ns3::NodeContainer(switches, hosts));
  }

  ns3::Simulator::Stop(ns3::Seconds(1));
  const auto begin = std::chrono::steady_clock::now();
  ns3::Simulator::Run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;

  const std::string crossings = count ? std::to_string(g_crossings) : "null";
  std::printf("{\"ns3\": \"%d.%d\", \"device\": \"%s\", \"checksums\": %s, \"scheduler\": \"%s\", \"crossings\": %s, "
              "\"delivered\": %ju, \"events\": %ju, \"wall_s\": %.6f}\n",
              NS3_VERSION_MAJOR, NS3_VERSION_MINOR, device.c_str(), checksums ? "true" : "false",
              scheduler.c_str(), crossings.c_str(),
              static_cast<uintmax_t>(Delivered(receivers)),
              static_cast<uintmax_t>(ns3::Simulator::GetEventCount()), wall.count());
  ns3::Simulator::Destroy();
  return 0;
}
