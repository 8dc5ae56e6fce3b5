"""Programs of Debian that tests unpack and don't install: only one mail server can be installed at a time."""

import os
import subprocess
from functools import cache
from pathlib import Path

from postfix import give_up, one_at_a_time


@cache
def cache_folder():
    """Where packages are kept between runs, beside those of Tests/Benchmarks."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    try:
        done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True)
    except FileNotFoundError:
        give_up("programs can be unpacked on Debian only")
    name = f"{release.get('VERSION_CODENAME', 'debian')}-{done.stdout.strip()}"
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "addressee-peers", name, "scenarios")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
@one_at_a_time
def package(name):
    """The .deb file, from the cache or from Debian."""
    folder = cache_folder()
    found = list(folder.glob(f"{name}_*.deb"))
    for command in ["download", name], ["update"], ["download", name]:
        if found:
            return found[0]
        done = subprocess.run(["apt-get", "-q", *command], cwd=folder, capture_output=True, text=True)
        found = list(folder.glob(f"{name}_*.deb"))
    if not found:
        give_up(f"{name} can't be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    return found[0]


def unpack(names, folder):
    """Unpacks packages below a folder. Returns their root, and an environment in which their programs find their libraries."""
    root = folder / "root"
    for name in names:
        subprocess.run(["dpkg", "-x", str(package(name)), str(root)], check=True)
    for file in root.rglob("*"):
        # A program with such a bit would not look for libraries here.
        if file.is_file() and not file.is_symlink() and file.stat().st_mode & 0o6000:
            file.chmod(0o755)
    libraries = {str(file.parent) for file in root.rglob("*.so*")}
    return root, dict(os.environ, LD_LIBRARY_PATH=":".join(sorted(libraries)))
