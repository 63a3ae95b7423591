#!/usr/bin/env bash
# rosbags 0.11.9 reads an MCAP file only if its header names the profile "ros2", whatever its channels hold.
#
# The profile is a free text of the header. Recorders of ROS 2 write "ros2", but Python's mcap.Writer writes "" unless
# it is told otherwise, and a converted bag of ROS 1 says "ros1". rosbags answers "Profile is not ros2." to both, though
# the messages of the first are CDR with the schema beside them, and mcap's own reader gives them; so a program that is
# to read "any MCAP" has to use mcap for the container and may use rosbags for the messages. A file that was cut off, as
# that of a killed recorder is, is refused too ("File end magic is invalid."), though mcap's stream reader gives what is
# there. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rosbags==0.11.9 mcap==1.6.0
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from mcap.records import Message
from mcap.writer import Writer
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

store = get_typestore(Stores.ROS2_HUMBLE)
kind = "std_msgs/msg/String"
data = bytes(store.serialize_cdr(store.types[kind](data="hello"), kind))


def write(path, profile):
    with open(path, "wb") as file:
        writer = Writer(file, use_chunking=False)
        writer.start(profile=profile)
        schema = writer.register_schema(kind, "ros2msg", store.generate_msgdef(kind, ros_version=2)[0].encode())
        channel = writer.register_channel("/words", "cdr", schema)
        for k in range(10):
            writer.add_message(channel, k + 1, data, publish_time=k + 1)
        writer.finish()


def by_rosbags(path):
    try:
        with AnyReader([Path(path)]) as reader:
            return [reader.deserialize(raw, one.msgtype).data for one, _, raw in reader.messages()]
    except AnyReaderError as error:
        return str(error)


def by_mcap(path):
    with open(path, "rb") as file:
        return [store.deserialize_cdr(message.data, schema.name).data for schema, _, message in make_reader(file).iter_messages()]


print("rosbags", version("rosbags"), "mcap", version("mcap"))
for profile in ("ros2", ""):
    write("words.mcap", profile)
    got = by_rosbags("words.mcap")
    print(f"profile {profile!r}: rosbags gives {got if isinstance(got, str) else len(got)}, mcap {len(by_mcap('words.mcap'))}")
    assert by_mcap("words.mcap") == ["hello"] * 10
    assert got == ("Profile is not ros2." if profile == "" else ["hello"] * 10), got

write("words.mcap", "ros2")
whole = Path("words.mcap").read_bytes()
Path("words.mcap").write_bytes(whole[: whole.index(b"hello", 400) + 40])
got, there = by_rosbags("words.mcap"), 0
with open("words.mcap", "rb") as file:
    try:
        for record in StreamReader(file).records:
            there += isinstance(record, Message)
    except Exception as error:
        print(f"cut off: rosbags says {got!r}, the stream reader gives {there} messages and then {type(error).__name__}")
assert got == "File end magic is invalid.", got
assert there >= 1, there
print("as found: the profile decides, not what is in the file")
PYTHON
