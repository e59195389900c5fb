"""The tests in another order each time, if that is asked; what was loaded, said at the end."""

import random
import sys


def pytest_addoption(parser):
    parser.addoption("--shuffle", type=int)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--shuffle") is not None:
        random.Random(config.getoption("--shuffle")).shuffle(items)


def pytest_unconfigure(config):
    if config.getoption("collectonly"):
        heavy = {"sim.harness", "sim.run", "simpy", "networkx", "msgspec", "virtualtap"}
        sys.stdout.write(f"loaded: {sorted(heavy.intersection(sys.modules))}\n")
