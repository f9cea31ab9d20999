"""The soak as a picture: memory, latency, throughput and counters over time."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

INK, SECOND, THIRD = "#1b4965", "#c1666b", "#7a9e7e"


def draw(samples, summary, path):
    """Writes the picture of `samples` to `path`."""
    minutes = [one.seconds / 60 for one in samples]
    figure, axes = plt.subplots(4, 1, figsize=(8.5, 8), sharex=True, constrained_layout=True)
    memory, latency, rate, counters = axes
    figure.suptitle(f"{summary['requests']:,} streamed exchanges in {summary['minutes']} minutes, {summary['failed']} failed, "
                    f"{summary['rules_documents']} rules documents", fontsize=11)

    memory.plot(minutes, [one.resident / 2**20 for one in samples], color=INK)
    memory.axvspan(0, minutes[-1] / 4, color="0.93", lw=0)
    memory.text(minutes[-1] / 8, 1, "warm-up", ha="center", color="0.4", fontsize=8)
    memory.set(ylabel="Envoy's resident\nmemory, MiB", ylim=(0, None))

    latency.plot(minutes, [one.p99 for one in samples], color=SECOND, lw=0.8, label="99th percentile")
    latency.plot(minutes, [one.p50 for one in samples], color=INK, lw=0.8, label="median")
    latency.set(ylabel="whole answer, ms", yscale="log")
    latency.legend(loc="upper right", fontsize=8)

    pairs = list(zip(samples, samples[1:]))
    rate.plot(minutes[1:], [(b.done - a.done) / max(b.seconds - a.seconds, 0.1) for a, b in pairs], color=INK, lw=0.8,
              label="answered a second")
    rate.plot(minutes[1:], [b.failed - a.failed for a, b in pairs], color=SECOND, lw=0.8, label="failed")
    rate.set(ylabel="exchanges", ylim=(0, None))
    rate.legend(loc="center right", fontsize=8)

    for name, colour in (("requests.chat_completions", INK), ("answers.read", THIRD), ("would.throttle", SECOND),
                         ("store.conflict", "0.6"), ("store.lost", "black")):
        counters.plot(minutes, [one.counters[name] for one in samples], color=colour, label=name,
                      ls="--" if name == "answers.read" else "-")
    counters.plot(minutes, [one.rules for one in samples], color="#e0a458", label="rules.version")
    counters.set(ylabel="counters", yscale="symlog", xlabel="minutes", xlim=(0, minutes[-1]))
    counters.legend(loc="lower right", fontsize=8, ncols=2)
    for one in axes:
        one.grid(color="0.9")
        one.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=75)
    plt.close(figure)
