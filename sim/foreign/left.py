"""What of a configuration nobody has taken, in words: a secret, of no effect here, not modeled."""

from sim.capture import escaped
from sim.foreign.softether_config import Folder, Value

SECRET, IDLE, UNKNOWN = "never copied", "of no effect here", "not modeled"
_LINES_MAX, _NAMES_MAX, _NAME_MAX = 200, 100, 60

_SECRETS = {
    *("AuthNtLmSecureHash", "DDnsClient", "IPsec", "IPsec_Secret", "RadiusSecret", "ServerCert"),
    *("WireGuardKeyList", "ProxyPassword", "ProxyUsername", "WireguardKeys"),
}
_IDLE = {
    *("AccountName", "AdminOption", "AuthType", "CertList", "ConfigRevision", "CreatedTime"),
    *("CreateDateTime", "CrlList", "DeviceName", "ExpireTime", "HideNicInfoWindow"),
    *("HideStatusWindow", "Hostname", "IPAccessControlList", "LastCommTime", "LastConnectDateTime"),
    *("LastLoginTime", "LicenseManager", "ListenerList", "LogSetting", "Message", "Note"),
    *("NumLogin", "Port", "PortUDP", "RealName", "Region", "SaveLog", "ServerTraffic"),
    *("StartupAccount", "SyslogSettings", "Traffic", "UpdatedTime", "UpdateDateTime"),
}


class Left:
    """Items and folders that are taken disappear from their folder; the rest can be listed."""

    def __init__(self) -> None:
        self._entered: set[int] = set()
        self._lists: set[int] = set()
        self._notes: list[str] = []

    def folder(self, parent: Folder, *path: str) -> Folder:
        """The folder at the end of a path, to take from; an empty one where there is none."""
        for name in path:
            parent = parent.folders.get(name, Folder())
            self._entered.add(id(parent))
        return parent

    def each(self, parent: Folder, name: str) -> list[tuple[str, Folder]]:
        """Every folder of a list, by its name, to take from."""
        found = self.folder(parent, name)
        self._lists.add(id(found))
        self._entered.update(id(one) for one in found.folders.values())
        return list(found.folders.items())

    def take(self, folder: Folder, name: str, default: Value) -> Value:
        """An item, or what is meant without it. One of another type stays where it is."""
        value = folder.items.get(name)
        if type(value) is not type(default):
            return default
        del folder.items[name]
        return value

    def note(self, what: str) -> None:
        """Say of something that was understood why it does not come along."""
        if what not in self._notes:
            self._notes.append(what)

    def lines(self, root: Folder, where: str = "") -> list[str]:
        """What was noted, then what nobody took: one line for each folder and reason.

        `where` comes before each path.
        """
        found: dict[tuple[str, str], dict[str, None]] = {}
        waiting: list[tuple[str, Folder]] = [(where, root)]
        while waiting:
            path, folder = waiting.pop(0)
            for name, value in folder.items.items():
                why = SECRET if value is None else _why(name)
                found.setdefault((path, why), {})[name] = None
            for name, inside in folder.folders.items():
                if id(inside) in self._entered:
                    shown = "*" if id(folder) in self._lists else escaped(name, _NAME_MAX)
                    waiting.append((f"{path}{shown}/", inside))
                elif inside.items or inside.folders:
                    found.setdefault((path, _why(name)), {})[f"{name}/"] = None
        told = [f"{path}{_named(list(names))}: {why}" for (path, why), names in found.items()]
        lines = self._notes + told
        more = len(lines) - _LINES_MAX
        return lines[:_LINES_MAX] + ([f"and {more} lines more"] if more > 0 else [])


def _why(name: str) -> str:
    return SECRET if name in _SECRETS else IDLE if name in _IDLE else UNKNOWN


def _named(names: list[str]) -> str:
    shown = ", ".join(escaped(name, _NAME_MAX) for name in names[:_NAMES_MAX])
    more = len(names) - _NAMES_MAX
    text = shown + (f" and {more} more" if more > 0 else "")
    return f"{{{text}}}" if len(names) > 1 else text
