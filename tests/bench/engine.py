"""What the engine's request path costs, stage by stage: natively and as wasm in V8 (Node), without and with simd128, on the same
bodies of real prompts, and in instructions where valgrind is installed. Prints a Markdown table.

    python3 tests/bench/engine.py <native program> <wasm program> <the same with simd128> <file for the ratios, JSON>
"""

import json
import pathlib
import shutil
import subprocess
import sys

import bodies
import instructions

HERE = pathlib.Path(__file__).resolve().parent
SIZES = {"0.5 KiB": 512, "4 KiB": 4 << 10, "32 KiB": 32 << 10, "256 KiB": 256 << 10}
#: Runs of each program, in turn, of which the least counts: whatever else the machine does only adds to a run.
RUNS = 5
COUNTED = ("read", "request")


def times(command, text):
    """Nanoseconds a body, by stage."""
    out = subprocess.run([*command, "time"], input=text, capture_output=True, text=True, check=True).stdout
    return {stage: int(value) for stage, value in (line.split() for line in out.splitlines())}


def least(command, text, before):
    now = times(command, text)
    return {stage: min(value, before.get(stage, value)) for stage, value in now.items()}


def main():
    native, wasm, simd, out = sys.argv[1:]
    ratios = {}
    in_node, with_simd = (["node", "--no-warnings", str(HERE / "wasi.mjs"), one] for one in (wasm, simd))
    print("| body | stage | native, µs | wasm, µs | wasm / native | simd128, µs | instructions |\n|---|---|---|---|---|---|---|")
    for name, size in SIZES.items():
        text = "\n".join(bodies.compose(size)) + "\n"
        here, there, wide = {}, {}, {}
        for _ in range(RUNS):
            here, there, wide = least([native], text, here), least(in_node, text, there), least(with_simd, text, wide)
        ratios[name] = there["request"] / here["request"]
        for stage, value in here.items():
            counted = "–"
            if stage in COUNTED and shutil.which("valgrind"):
                counted = f"{instructions.count(native, text, stage):,}"
            print(f"| {name} | {stage} | {value / 1e3:.1f} | {there[stage] / 1e3:.1f} | "
                  f"{there[stage] / value:.2f} | {wide[stage] / 1e3:.1f} | {counted} |", flush=True)
    pathlib.Path(out).write_text(json.dumps({"wasm_over_native": ratios}))


if __name__ == "__main__":
    main()
