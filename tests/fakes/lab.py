"""The lab as its users drive it, by its command line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

from fakes.command_line import LIMIT_S, Said

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, str(ROOT / "deploy" / "lab"))
EXPERIMENT = str(ROOT / "configs" / "lab.yaml")
READY = "the lab is up\n"
END_S = 30


def why_not() -> str:
    """Why there can be no lab here; empty when there can."""
    if os.geteuid() != 0:
        return "a lab needs root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    programs = ("ip", "bridge", "ss", "unshare", "nsenter", "sshd")
    missing = [name for name in programs if shutil.which(name, path=path) is None]
    if missing:
        return f"a lab needs {', '.join(missing)}"
    spaces = ["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--mount-proc"]
    tried = subprocess.run([*spaces, "true"], capture_output=True, text=True, check=False)
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


class Lab:
    """A lab that ends with `with`, and with this process."""

    def __init__(self, directory: Path, load_hosts: int) -> None:
        self.directory = directory
        self.load_hosts = load_hosts
        self._keeper: subprocess.Popen[str] | None = None

    def command(self, *words: str) -> list[str]:
        """The command line for `words`."""
        return [*COMMAND, "--directory", str(self.directory), *words]

    def __enter__(self) -> Self:
        self._keeper = subprocess.Popen(
            self.command("keep", f"--load-hosts={self.load_hosts}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline()
        if said != READY:
            raise RuntimeError(said + self._keeper.communicate(timeout=END_S)[0])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._keeper is not None
        self._keeper.communicate(timeout=END_S)

    def do(self, *words: str) -> str:
        """Run the lab's command with `words`, which must succeed; its stdout."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def on(self, host: str, *argv: str) -> Said:
        """Run a command on a host to its end."""
        done = subprocess.run(
            self.command("exec", host, *argv),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            cwd=ROOT,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def start(self, host: str, *argv: str) -> subprocess.Popen[str]:
        """Start a command on a host."""
        return subprocess.Popen(
            self.command("exec", host, *argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def processes(self, host: str) -> dict[int, str]:
        """What runs on a host: command lines by the host's pids, without the one that looks."""
        listed = self.on(host, "ps", "-ww", "-e", "-o", "pid=", "-o", "args=").stdout.splitlines()
        found = {int(pid): args for pid, args in (line.split(None, 1) for line in listed)}
        assert found[1].startswith("cat"), "the init"
        return {pid: args for pid, args in found.items() if not args.startswith("ps -ww")}

    def pids(self, host: str, part: str) -> list[int]:
        """Pids on a host of those whose command line has `part` in it."""
        return [pid for pid, args in self.processes(host).items() if part in args]

    def kill(self, host: str, *pids: int) -> None:
        """Kill processes of a host; one that has just ended by itself will do."""
        assert pids
        self.on(host, "kill", "-KILL", *map(str, pids))

    def run(self, out: Path, *overrides: str) -> list[str]:
        """The command line, for the head, of a short run of configs/lab.yaml."""
        short = (
            "load.rates_per_s=[2000]",
            "load.arrivals=constant",
            "load.timeout_s=1",
            "measure.warmup_s=0",
            "measure.control_s=3",
            "measure.drain_s=1",
            "measure.calibration=off",
        )
        changes = [word for change in (*short, *overrides) for word in ("--set", change)]
        verb = [sys.executable, "-m", "cluster", "run", EXPERIMENT]
        return [*verb, *changes, "--out", str(out), "--json"]
