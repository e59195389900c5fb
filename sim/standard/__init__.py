"""Bench tests of the standards, as scenarios in virtual time: RFC 2544, 2889, 4689."""
