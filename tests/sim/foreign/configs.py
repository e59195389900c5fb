"""Configuration files in the form of the product, written for the tests: secrets are planted."""

SECRETS = (
    *("HASHOFADMIN", "SECUREPASS", "AUTHPASSWD", "NTLMHASH", "SERVERKEY", "SERVERCERT", "DDNSKEY"),
    *("PRESHAREDKEY", "RADIUSSECRET", "ENCRYPTEDPW", "HASHEDKEY", "CLIENTKEY", "CLIENTCERT"),
    *("PROXYPASSWD", "SYSLOGHOST", "PRIVATENOTE", "REALNAME", "TOKEN", "RC4KEY", "HUBMESSAGE"),
    *("DDNSHOST", "CASCADEHOST", "GROUPNOTE", "RULENOTE", "PROXYUSER", "WGKEY", "URLPASS"),
)

SERVER = r"""# Software Configuration File
# ---------------------------
declare root
{
	uint ConfigRevision 41
	bool IPsecMessageDisplayed true
	string Region JP

	declare DDnsClient
	{
		bool Disabled false
		byte Key DDNSKEY=
		string LocalHostname DDNSHOST
	}
	declare IPsec
	{
		string IPsec_Secret PRESHAREDKEY
		bool L2TP_IPsec true
	}
	declare ListenerList
	{
		declare Listener0
		{
			bool Enabled true
			uint Port 443
		}
	}
	declare LocalBridgeList
	{
		bool DoNotDisableOffloading false

		declare LocalBridge0
		{
			string DeviceName eth0
			string HubName DEFAULT
			bool LimitBroadcast true
			bool MonitorMode false
		}
		declare LocalBridge1
		{
			string DeviceName eth1
			string HubName GONE
			bool LimitBroadcast false
		}
	}
	declare ServerConfiguration
	{
		bool AcceptOnlyTls true
		byte HashedPassword HASHOFADMIN=
		byte ServerCert SERVERCERT=
		byte ServerKey SERVERKEY=
		byte HashedKey HASHEDKEY=
		declare GlobalParams
		{
			uint MAC_TABLE_EXPIRE_TIME 300000
			uint MAX_MAC_TABLES 65536
			uint HUB_ARP_SEND_INTERVAL 0
			uint NEW_PARAMETER 1
		}
		declare SyslogSettings
		{
			string HostName SYSLOGHOST
		}
	}
	declare VirtualHUB
	{
		declare DEFAULT
		{
			uint64 CreatedTime 1744089202177
			byte HashedPassword HASHOFADMIN=
			byte SecurePassword SECUREPASS=
			byte RadiusSecret RADIUSSECRET=
			bool Online true

			declare AccessList
			{
				declare 1
				{
					bool Active true
					bool CheckDstMac false
					bool CheckSrcMac true
					bool CheckTcpState false
					uint Delay 20
					string DestIpAddress 0.0.0.0
					uint DestPortEnd 80
					uint DestPortStart 80
					string DestSubnetMask 0.0.0.0
					string DestUsername $
					bool Discard false
					bool Established false
					bool IsIPv6 false
					uint Jitter 50
					uint Loss 1
					string Note RULENOTE
					uint Priority 100
					uint Protocol 6
					string RedirectUrl http://127.0.0.1/page?TOKEN<INFO|RC4KEY>
					string SrcIpAddress 10.0.0.0
					string SrcMacAddress 02-00-00-00-00-01
					string SrcMacMask FF-FF-FF-FF-FF-FF
					uint SrcPortEnd 0
					uint SrcPortStart 0
					string SrcSubnetMask 255.0.0.0
					string SrcUsername alice
				}
				declare 2
				{
					bool Active false
					bool Discard true
					bool IsIPv6 true
					uint Priority 200
					string DestIpAddress6 ::
					string DestSubnetMask6 ::
					string SrcIpAddress6 fd00::
					string SrcSubnetMask6 ffff::
					string RedirectUrl http://user:URLPASS@127.0.0.1/
				}
			}
			declare CascadeList
			{
				declare Cascade0
				{
					bool Online true

					declare ClientAuth
					{
						uint AuthType 1
						byte HashedPassword HASHOFADMIN=
						string Username link
					}
					declare ClientOption
					{
						string Hostname CASCADEHOST
						string HubName FAR
						string ProxyUsername PROXYUSER
						byte ProxyPassword PROXYPASSWD=
					}
					declare Policy
					{
						bool FilterIPv6 true
					}
				}
				declare Cascade1
				{
					bool Online false
				}
			}
			declare Message
			{
				string MessageText HUBMESSAGE
			}
			declare Option
			{
				uint BroadcastStormDetectionThreshold 64
				bool FilterPPPoE false
				bool NoArpPolling true
				bool NoMacAddressLog true
				string VlanTypeId 0x88A8
			}
			declare SecureNAT
			{
				bool Disabled false
				bool SaveLog true

				declare VirtualDhcpServer
				{
					string DhcpDnsServerAddress2 0.0.0.0
					bool DhcpEnabled true
					uint DhcpExpireTimeSpan 3600
					string DhcpGatewayAddress 0.0.0.0
					string DhcpPushRoutes 10.1.0.0/255.255.0.0/10.0.0.9$2C$20ROUTE2
				}
				declare VirtualHost
				{
					string VirtualHostIp 10.0.255.1
					string VirtualHostIpSubnetMask 255.255.0.0
					string VirtualHostMacAddress 5E-00-00-00-00-01
				}
				declare VirtualRouter
				{
					bool NatEnabled false
					uint NatMtu 1400
				}
			}
			declare SecurityAccountDatabase
			{
				declare GroupList
				{
					declare staff
					{
						string Note GROUPNOTE

						declare Policy
						{
							bool Access true
							uint MaxUpload 1000000
							uint TimeOut 30
						}
					}
				}
				declare UserList
				{
					declare alice
					{
						byte AuthNtLmSecureHash NTLMHASH=
						byte AuthPassword AUTHPASSWD=
						uint AuthType 1
						string GroupName staff
						string Note IPv4:10.0.0.77$20PRIVATENOTE
						string RealName REALNAME
					}
					declare bob
					{
						uint AuthType 0
						string GroupName gone
						string Note PRIVATENOTE

						declare Policy
						{
							bool MonitorPort true
							uint VLanId 5000
							bool NewItem true
						}
						declare Traffic
						{
							declare RecvTraffic
							{
								uint64 UnicastBytes 1
							}
						}
					}
					declare locked
					{
						declare Policy
						{
							bool Access false
						}
					}
					declare $2A
					{
						uint AuthType 4
					}
				}
			}
		}
		declare SALES$20TEAM
		{
			bool Online false

			declare SecureNAT
			{
				bool Disabled true
			}
			declare SecurityAccountDatabase
			{
				declare UserList
				{
					declare carol
					{
						uint AuthType 1
					}
				}
			}
		}
	}
	declare VirtualLayer3SwitchList
	{
		declare L3
		{
			bool Active true

			declare InterfaceList
			{
				declare Interface0
				{
					string HubName DEFAULT
					string IpAddress 10.0.255.2
					string SubnetMask 255.255.0.0
				}
				declare Interface1
				{
					string HubName SALES$20TEAM
					string IpAddress 10.1.255.2
					string SubnetMask 255.255.0.0
				}
			}
			declare RoutingTable
			{
				declare Entry0
				{
					string GatewayAddress 10.0.0.1
					uint Metric 2
					string NetworkAddress 0.0.0.0
					string SubnetMask 0.0.0.0
				}
			}
		}
		declare Stopped
		{
			bool Active false
		}
		declare Lost
		{
			declare InterfaceList
			{
				declare Interface0
				{
					string HubName GONE
					string IpAddress 10.0.255.2
					string SubnetMask 255.255.0.0
				}
			}
		}
	}
	declare WireGuardKeyList
	{
		string key WGKEY
	}
}
""".replace("ROUTE2", "10.2.0.0/255.255.0.0/10.0.0.9")

ACCOUNT = r"""# VPN Client VPN Connection Setting File
declare root
{
	bool CheckServerCert false
	bool StartupAccount false

	declare ClientAuth
	{
		uint AuthType 1
		byte EncryptedPassword ENCRYPTEDPW=
		byte ClientKey CLIENTKEY=
		byte ClientCert CLIENTCERT=
		string Username USER
	}
	declare ClientOption
	{
		string Hostname CASCADEHOST
		string HubName HUB
		uint MaxConnection 8
		string ProxyUsername PROXYUSER
		byte ProxyPassword PROXYPASSWD=
		bool RequireBridgeRoutingMode BRIDGE
		bool RequireMonitorMode MONITOR
	}
}
"""


def account(
    user: str = "alice", hub: str = "DEFAULT", *, bridge: bool = False, monitor: bool = False
) -> str:
    """An account file."""
    words = {"USER": user, "HUB": hub, "BRIDGE": str(bridge).lower()}
    text = ACCOUNT
    for name, value in {**words, "MONITOR": str(monitor).lower()}.items():
        text = text.replace(f" {name}\n", f" {value}\n")
    return text
