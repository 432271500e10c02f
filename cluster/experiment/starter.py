"""The commented file that `loadcluster init` writes."""

from string import Template
from typing import Final

from cluster.errors import ConfigError, Problem
from cluster.protocol.builtin import unknown_protocol

_STARTER: Final = Template("""\
# A loadcluster experiment: what to load, how hard, for how long.
#
#   loadcluster check FILE   says what can be measured, and what can't be
#   loadcluster run FILE     measures it; every key can be changed: --set load.rates_per_s=[5000]
#
# What is left out has a default; docs/configuration.md explains every key.

name: my-engine                  # names the run's directory
protocol: $protocol              # how orders are written on the wire

engine:
  address: 127.0.0.1             # where the orders go
  port: 9001
  # One of three. To try things out, loadcluster's own engine:
  reference: {threads: 1}
  # … or your engine, started and stopped by loadcluster (a list; no shell reads it):
  # command: [./trading_engine, --port, "9001"]
  # … or your engine, which runs already: its process, by name or pid, so that it can be profiled.
  # process: trading_engine
  #
  # An engine on another machine is profiled over SSH:
  # host: {ssh: engine-1.example, user: perf}

fleet: in-process                # or ray: one agent per load host of a Ray cluster
agents:
  count: 1
  workers: 1                     # native threads per agent; each fills about one core at most
  connections: 8                 # TCP connections per agent

load:
  arrivals: poisson              # or constant
  rates_per_s: [1_000, 10_000, 50_000, 100_000]    # orders per second, one level each
  maximum: {in_flight: 1024}     # then the most the engine takes; leave out to skip it

measure:
  warmup_s: 2                    # per level, not counted
  control_s: 10                  # per level, measured with no profiler running

profile:                         # or: profile: off
  window_s: 10                   # per level, after the control window: perf counts and samples

abort:
  response_p99_ms: 1_000         # a level beyond these ends the rise
  error_ratio: 0.01

# A figure you know, to see beside the measured one:
# baseline: {name: Python gRPC API, throughput_per_s: 946}
""")


def starter_experiment(protocol: str = "orderwire") -> str:
    """The text of an experiment file to start from; it loads as it is.

    Raises:
        ConfigError: there is no such protocol.
    """
    sentence = unknown_protocol(protocol)
    if sentence:
        raise ConfigError([Problem("--protocol", None, "", sentence)])
    return _STARTER.substitute(protocol=protocol)
