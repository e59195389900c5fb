"""Small configuration files, folder by folder."""


def hub(text: str, name: str = "DEFAULT", more: str = "") -> str:
    """A server's file with one hub that holds these lines, and `more` beside the hubs."""
    return server({name: text}, more)


def server(hubs: dict[str, str], more: str = "") -> str:
    """A server's file with these hubs, and `more` beside them."""
    inside = folder("VirtualHUB", "\n".join(folder(*one) for one in hubs.items()))
    return folder("root", f"{inside}\n{more}")


def folder(name: str, text: str) -> str:
    """A folder of that name with these lines in it."""
    return f"declare {name}\n{{\n{text}\n}}\n"


def switch(interfaces: list[str], routes: list[str], name: str = "L3") -> str:
    """Layer-3 switches: one, with the lines of its interfaces and routes."""
    lists = [
        folder(where, "\n".join(folder(f"n{i}", one) for i, one in enumerate(entries)))
        for where, entries in (("InterfaceList", interfaces), ("RoutingTable", routes))
    ]
    return folder("VirtualLayer3SwitchList", folder(name, "\n".join(lists)))


def interface(ip: str = "10.0.255.1", hub: str = "DEFAULT") -> str:
    return f"string HubName {hub}\nstring IpAddress {ip}\nstring SubnetMask 255.255.0.0"


def route(metric: str = "uint Metric 1") -> str:
    lines = "string NetworkAddress 10.9.0.0\nstring SubnetMask 255.255.0.0\n"
    return f"{lines}string GatewayAddress 10.0.0.1\n{metric}"


def users(*names: str) -> str:
    """The lines of a hub with these users."""
    listed = "".join(f"declare {name}\n{{\nuint AuthType 1\n}}\n" for name in names)
    return f"declare SecurityAccountDatabase\n{{\ndeclare UserList\n{{\n{listed}}}\n}}"
