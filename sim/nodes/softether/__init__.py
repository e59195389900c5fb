"""A SoftEther VPN server as it really is: constants and order from its sources."""
