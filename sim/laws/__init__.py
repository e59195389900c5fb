"""Observers that judge: laws of what is sent, passed on, asked, kept and healed."""
