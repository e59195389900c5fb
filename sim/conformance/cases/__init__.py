"""The cases, a file for each family: arp, ipv4, ndp, ethernet."""
