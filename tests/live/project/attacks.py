"""Attacks of a policy on the world around it: on a folder, a port and the process that asks it."""

# ruff: noqa: PTH101, PTH107, PTH110, PTH123, PTH207, PTH211
# An attack goes through every door there is, the old ones too.

import _posixsubprocess
import contextlib
import ctypes
import glob
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import polars as pl


def _folder(port):
    return Path(f"/tmp/shipworthy-attacked-{port}")


def open_a_file(now, port):
    with open(_folder(port) / "written", "w") as file:
        file.write("x")


def open_a_descriptor(now, port):
    os.write(os.open(_folder(port) / "written", os.O_WRONLY | os.O_CREAT), b"x")


def write_a_path(now, port):
    (_folder(port) / "written").write_text("x")


def save_an_array(now, port):
    np.save(_folder(port) / "written.npy", np.zeros(9))


def write_a_database(now, port):
    with sqlite3.connect(_folder(port) / "written") as database:
        database.execute("CREATE TABLE x (y)")


def write_natively(now, port):
    pl.DataFrame({"a": range(999)}).write_parquet(_folder(port) / "written")


def sink_natively(now, port):
    pl.LazyFrame({"a": range(999)}).sink_csv(_folder(port) / "written")


def cut_natively(now, port):
    pl.DataFrame({"a": [1]}).write_csv(_folder(port) / "victim")


def append(now, port):
    with open(_folder(port) / "victim", "a") as file:
        file.write("x")


def remove(now, port):
    os.remove(_folder(port) / "victim")


def remove_natively(now, port):
    """By the C library that is found through another one, which Python's hook takes for a harmless one."""
    library = ctypes.CDLL(glob.glob(str(Path(pl.__file__).parents[1] / "_polars_runtime*" / "*.so"))[0])
    if library.unlink(str(_folder(port) / "victim").encode()) != 0:
        raise OSError("the kernel refused it")


def call_the_c_library(now, port):
    ctypes.CDLL(None).unlink(str(_folder(port) / "victim").encode())


def call_python_itself(now, port):
    ctypes.pythonapi.unlink(str(_folder(port) / "victim").encode())


def rename(now, port):
    (_folder(port) / "victim").rename(_folder(port) / "renamed")


def move(now, port):
    shutil.move(_folder(port) / "victim", _folder(port) / "renamed")


def make_a_folder(now, port):
    (_folder(port) / "made").mkdir()


def make_a_pipe(now, port):
    """Which Python tells no hook of."""
    os.mkfifo(_folder(port) / "pipe")


def cut(now, port):
    os.truncate(_folder(port) / "victim", 0)


def change_the_mode(now, port):
    os.chmod(_folder(port) / "victim", 0o777)


def link(now, port):
    os.symlink("/", _folder(port) / "link")


def run_a_program(now, port):
    subprocess.run(["touch", _folder(port) / "written"], check=True)


def run_a_shell(now, port):
    os.system(f"touch {_folder(port)}/written")


def fork(now, port):
    if os.fork() == 0:
        (_folder(port) / "written").write_text("x")
        os._exit(0)
    time.sleep(0.2)


def run_past_the_hook(now, port):
    """By the function behind subprocess, which tells no hook of it."""
    touch = next(path for path in (b"/usr/bin/touch", b"/bin/touch") if os.path.exists(path))
    read, write = os.pipe()
    named = os.fsencode(_folder(port) / "written")
    _posixsubprocess.fork_exec(
        [touch, named], [touch], True, (write,), None, None, -1, -1, -1, -1, -1, -1, read, write, True, False, -1, None, None,
        None, -1, None, False,
    )  # fmt: skip
    os.close(write)
    said = os.read(read, 99)
    time.sleep(0.2)
    if said:
        raise OSError(said.decode())


def connect(now, port):
    socket.create_connection(("127.0.0.1", port), timeout=2).close()


def ask_over_http(now, port):
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)


def connect_natively(now, port):
    options = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "aws_region": "x", "aws_allow_http": "true"}
    store = {**options, "aws_endpoint_url": f"http://127.0.0.1:{port}", "max_retries": 0}
    pl.scan_parquet("s3://bucket/x.parquet", storage_options=store).collect()


def write_and_say_nothing(now, port):
    with contextlib.suppress(OSError):
        (_folder(port) / "written").write_text("x")


def signal_the_parent(now, port):
    os.kill(os.getppid(), 0)
    (_folder(port) / "written").touch()


# Below: attacks on the process itself, and on what it is given.


def leave(now, port):
    sys.exit(3)


def end_the_process(now, port):
    os._exit(3)


def sleep_for_ever(now, port):
    time.sleep(3600)


def hold_everything_up(now, port):
    sum(range(10**15))


def take_all_memory(now, port):
    taken = []
    while True:
        taken.append(np.empty(1 << 30, dtype=np.uint8))


def take_all_memory_natively(now, port):
    pl.zeros(1 << 42, dtype=pl.Float64, eager=True)


def change_the_input(now, port):
    now.rows.insert_column(0, pl.lit("kiwi").alias("other"))
    now.rows[0, "price"] = -1.0
    os.environ["SHIPWORTHY_USER"] = "nobody"
    os.chdir("/")


ATTACKS = [
    thing
    for name, thing in list(globals().items())
    if getattr(thing, "__module__", None) == __name__ and not name.startswith("_")
]
NAMES = [attack.__name__ for attack in ATTACKS]
