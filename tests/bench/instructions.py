#!/usr/bin/env python3
"""Instructions of the engine's request path, as callgrind counts them: a guard against regressions that no noise can trip.

    instructions.py check|record <native program> [--file tests/bench/instructions.json]

`check` ends with 1 when a count has grown by more than the tolerance, or when the compiler is another than the one that the
recorded counts are of: then nothing can be said. `record` writes the counts of this state.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import bodies

HERE = pathlib.Path(__file__).resolve().parent
#: Sizes that are counted, and how many bodies of each.
SIZES = {512: 24, 4 << 10: 24, 32 << 10: 12, 256 << 10: 4}
STAGES = ("parse", "digests", "request")
#: Growth that is let pass. Counts of one build differ by less than a thousandth (hash tables have random seeds).
TOLERANCE = 0.02


def count(native, text, stage):
    """Instructions a body."""
    with tempfile.TemporaryDirectory() as folder:
        def total(rounds):
            command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measured*",
                       f"--callgrind-out-file={folder}/out", native, "once", stage, str(rounds)]
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
            return int(re.search(r"Collected : (\d+)", done.stderr)[1])
        # What comes before the rounds is in both.
        return (total(3) - total(1)) // (2 * len(text.splitlines()))


def counts(native):
    """{size: {stage: instructions}}."""
    found = {}
    for size, number in SIZES.items():
        text = "\n".join(bodies.compose(size, number)) + "\n"
        found[str(size)] = {stage: count(native, text, stage) for stage in STAGES}
    return found


def compiler():
    """What counts depend on beside the code."""
    told = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    return {key: value for key, value in (line.split(": ", 1) for line in told.splitlines() if ": " in line)
            if key in ("release", "host", "LLVM version")}


def compare(recorded, now):
    """Prints each count beside the recorded one; those that have grown too much."""
    grown = []
    print(f"{'bytes':>8} {'stage':<10}{'recorded':>12}{'now':>12}{'change':>9}")
    for size, stages in now.items():
        for stage, value in stages.items():
            before = recorded[size][stage]
            change = value / before - 1
            print(f"{size:>8} {stage:<10}{before:>12,}{value:>12,}{change:>+9.1%}")
            if change > TOLERANCE:
                grown.append(f"{stage} of {size} bytes: {before:,} -> {value:,} instructions ({change:+.1%})")
    return grown


def check(path, native):
    record = json.loads(path.read_text())
    now, here = counts(native), compiler()
    grown = compare(record["counts"], now)
    if record["compiler"] != here:
        return (f"the counts in {path.name} are of another compiler ({record['compiler']}; here: {here}), so a growth may be its "
                "doing. Record them anew with `make record-instructions`, in a commit that changes nothing else.")
    if grown:
        return ("the engine's request path does more than it did, by more than "
                f"{TOLERANCE:.0%}:\n  " + "\n  ".join(grown) + "\nIf that is meant, record it with `make record-instructions` and "
                f"commit {path.name} with the change that needs it; its message says what for.")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "record"))
    parser.add_argument("native")
    parser.add_argument("--file", type=pathlib.Path, default=HERE / "instructions.json")
    options = parser.parse_args()
    if options.what == "record":
        record = {"compiler": compiler(), "counts": counts(options.native)}
        options.file.write_text(json.dumps(record, indent=1) + "\n")
        print(f"{options.file} written")
    elif complaint := check(options.file, options.native):
        sys.exit(f"instructions: {complaint}")


if __name__ == "__main__":
    main()
