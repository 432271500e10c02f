"""Every term the report uses as a heading, explained. docs/glossary.md holds the same words."""

from typing import Final

GLOSSARY: Final[dict[str, str]] = {
    # What is loaded, and by whom.
    "Engine": "The system under test: the process that answers orders over TCP.",
    "Agent": "One load host's share of the load, in a process of its own.",
    "Worker": "One native thread of an agent, with its own connections and schedule.",
    "Host": "A machine that takes part in the run.",
    "Left behind": "What of the run was still on a host after everything had ended: load, engine, "
    "profiler, temporary files.",
    "Looked for": "What was looked for there, at the very end.",
    "Protocol": "How orders and replies are written for the engine, by the title of its wire "
    "schema.",
    "Wire schema": "A YAML file that describes a protocol: what is sent, and what replies mean.",
    "Level": "One offered load, held for a while; a run rises from level to level.",
    "Trial": "All levels once, by one process of the engine where it is started anew for each.",
    # Load.
    "Offered load": "The rate at which orders are due, whatever the engine answers.",
    "Open-loop": "Orders are sent when they are due, not when an earlier answer has come. The "
    "waiting of late orders is measured, not forgotten.",
    "Closed-loop": "A fixed number of orders is kept in flight: each answer releases the next "
    "order. It shows the most an engine takes; its response times say nothing of users.",
    "Arrivals": "The law of the gaps between due times: constant, poisson (independent users), "
    "hawkes (every order provokes others), bursts (on and off), or closed for closed-loop.",
    "Throughput": "Answered orders per second, over the control window.",
    "In flight": "Orders sent and not yet answered.",
    "Backlog": "Orders that are due and not yet sent.",
    "Sustained": "Answered orders per second at the highest open-loop load that was valid in every "
    "trial.",
    "Maximum": "The throughput of the closed-loop level.",
    "Predicted maximum": "What one second of the busiest engine thread would carry: 1 / (its "
    "on-CPU time per order).",
    # Time of an order.
    "Response time": "Received minus intended: what a user waits. It includes the time an order "
    "was late in being sent.",
    "Service time": "Received minus sent: what the network and the engine took.",
    "Send lag": "Sent minus intended: how late the load client was. When it is large, the client "
    "is what was measured.",
    "Engine time": "Replied minus received on the engine's own clock: the time inside the engine.",
    "Percentile curve": "Response time over percentile, on an axis that gives every further nine "
    "the same room.",
    "Percentile": "p99 is the value that 99 of 100 orders stay below.",
    "p50": "The value that half of the orders stay below: the median.",
    "p95": "The value that 95 of 100 orders stay below.",
    "p99": "The value that 99 of 100 orders stay below.",
    "p99.9": "The value that 999 of 1,000 orders stay below.",
    "min": "The smallest value.",
    "mean": "The arithmetic mean.",
    "max": "The largest value.",
    "Spread": "Standard deviation: how much single orders differ (jitter).",
    "Profiled p99": "Response time p99 in the profile window, while the profiler ran.",
    "Response time p99": "The response time that 99 of 100 orders stay below.",
    "Send lag p99": "The send lag that 99 of 100 orders stay below.",
    "Parts of the response time": "Send lag, service time and engine time beside the response "
    "time. Percentiles of parts do not add up to the percentile of the whole.",
    # Uncertainty.
    "Uncertainty": "Figures with their 95 % interval: so far off may they be by chance. Orders "
    "that follow each other are alike, so fewer count than there are: the effective orders.",
    "Between runs": "The same level again and again, with a new engine where we start it. What "
    "differs from run to run no interval within a run can show.",
    "Figure": "Which figure of the response time, or the throughput.",
    "Low": "Lower end of the 95 % interval.",
    "High": "Upper end of the 95 % interval; no bound where it falls among orders without answer.",
    "Half-width": "Half the interval's width over the figure.",
    "Effective orders": "So many independent orders would tell as much.",
    "Trials": "The figure in every repetition.",
    "Mean": "The arithmetic mean.",
    # Steady state.
    "Steady state": "Whether a level went on as it began once the warm-up was over. Only then are "
    "its figures those of the rate, and not of how long it lasted.",
    "Discarded": "Seconds before the control window, left out of every figure.",
    "Warm-up ended": "Where the response times had settled, by MSER-5.",
    "Steady": "Whether no test on any series speaks against a steady state.",
    "In flight, mean": "Orders sent and not answered, averaged over time.",
    "Rate by service time": "The same by Little's law, from the other books.",
    "Deviation": "Between the two. Beyond the bounds one of the books is wrong.",
    "Series": "A quantity over the control window.",
    "Points": "How many points the series has, and how far apart.",
    "Drift": "Theil-Sen slope over the whole window, in relation to the mean.",
    "Mann-Kendall p": "How likely so much of a trend is by chance, dependence taken into account.",
    "ADF p": "Augmented Dickey-Fuller: small speaks for a steady state.",
    "KPSS p": "Kwiatkowski-Phillips-Schmidt-Shin: small speaks against a steady state.",
    "Change at": "Where the level jumped, seconds after its start.",
    # The clients.
    "Clients": "Whether the load clients can be believed: their punctuality, what kept them from "
    "it, and whether the orders left by the law that was asked for.",
    "On time": "Orders sent within what counts as on time, of those due.",
    "Poll gap p99.9": "From one pass of the client's event loop to the next, less what it meant to "
    "sleep: one in a thousand is longer.",
    "Poll gap max": "The longest such gap.",
    "Jitter before p99": "How late a thread that only sleeps woke up before the load: the noise of "
    "the host.",
    "Jitter during p99": "The same while the load ran.",
    "Steal": "Share of the CPU time that the hypervisor took.",
    "Owns the tail": "Whether this agent's orders make the tail of all.",
    "Who": "One agent, or all agents together.",
    "Gaps": "Gaps between orders in the sample.",
    "Distance": "Kolmogorov-Smirnov: largest distance to the law's distribution, 0 to 1.",
    "A*²": "Anderson-Darling for exponential gaps, on a thinned sample; up to 1.34 is chance.",
    "Dispersion": "Variance over mean of the counts in such lengths of time; in parentheses by "
    "the law.",
    "Moved by": "How far orders must have been moved, at least, to leave as they did.",
    "Kept": "Whether orders left as the law says.",
    "Client invariance": "The same load from twice as many clients: what differs then is the "
    "clients' doing.",
    "Calibration": "Each load host against a reflector that answers at once: its floor, and the "
    "highest rate that one agent sent on time. A run should stay below 70 % of it.",
    "Reflector": "Where the reflector ran.",
    "Floor p50": "Half of the orders to the reflector took less, at a low rate.",
    "Floor p99": "99 of 100 orders to the reflector took less, at a low rate.",
    "Clean rate": "The highest rate that one agent sent on time.",
    "Bound by": "What ended the rise; unless it was the client, the client can do at least as "
    "much.",
    "Calibrated": "When that was measured.",
    # Latency budget.
    "Latency budget": "Where the mean response time goes, leg by leg.",
    "Leg": "A part of an order's way.",
    "Share": "Of the mean response time.",
    "Known": "Whether it was measured, inferred from others, or not measured.",
    "How": "From what it was measured or inferred.",
    # The books.
    "Books": "What became of every order. They balance when intended = sent + unsent and sent = "
    "accepted + rejected + timed out + lost.",
    "Intended": "Orders of the schedule.",
    "Sent": "Orders written to a connection.",
    "Unsent": "Orders of the schedule that never left the client.",
    "Answered": "Orders the engine accepted or rejected.",
    "Accepted": "Orders the engine accepted.",
    "Rejected": "Orders the engine refused with a reason: an answer all the same.",
    "Timed out": "Orders without an answer within the time-out.",
    "Lost": "Orders whose connection ended before the answer came.",
    "Balance": "Whether the books balance; if not, by how many orders they do not.",
    # Replies.
    "What the engine replied": "Replies beside one answer per order, counted over whole levels. "
    "What is said of orders with several replies is of the control window.",
    "Executions": "Fills that the engine reported.",
    "Remainders": "Unfilled rests of orders that the engine cancelled by itself.",
    "Unsolicited": "Messages that answer no order, as the protocol's description says.",
    "Out of order": "Answers that overtook the answer to an earlier order of their connection.",
    "Skipped": "Requests to replace or cancel an order that was known to be gone: not sent, and in "
    "no books.",
    "Several": "Orders with more than one reply: filled or cancelled after their "
    "acceptance, or acknowledged before it. Counted when the other reply came.",
    "First reply": "Received minus intended of the first of several replies to an order.",
    "First reply p50": "The time to the first of several replies that half of such orders stay "
    "below.",
    "First reply p99": "The time to the first of several replies that 99 of 100 such orders stay "
    "below.",
    "Last reply": "Received minus intended of the last of several replies to an order.",
    "Last reply p50": "The time to the last of several replies that half of such orders stay "
    "below.",
    "Last reply p99": "The time to the last of several replies that 99 of 100 such orders stay "
    "below.",
    "Why orders were rejected": "The engine's own reasons, counted over whole levels.",
    "Reason": "The reason as the engine says it; what can't be printed is escaped.",
    "Orders": "How many orders.",
    # Windows.
    "Warm-up": "The first seconds of a level, until the response time has settled: measured, not "
    "counted.",
    "Control window": "The seconds in which no profiler runs. All figures come from it.",
    "Profile window": "The seconds in which the profiler counts and samples.",
    "Drain": "After the last order is sent: waiting for late answers.",
    "Window": "The part of a level a second belongs to: warm-up, control, profile or drain.",
    "Time": "Seconds of load since the first level began; pauses between levels are left out.",
    "Time line": "The whole run, second by second.",
    # Conclusions.
    "Verdict": "What the engine can do, what holds it back, and what to do next.",
    "Scenario": "A: fast, the network or API in front was the limit. B: slow, the engine is. C: "
    "between, both contribute. beyond-1M: the design performs well.",
    "Bottleneck": "What holds the run back: engine, network, client, or inconclusive.",
    "Confidence": "How sure the verdict is of the bottleneck, from 0 to 100 %.",
    "Evidence": "The observations behind the verdict, for and against.",
    "Observation": "The quantity an item of evidence looks at.",
    "Supports": "The cause an observation speaks for.",
    "Against": "The causes an observation speaks against.",
    "Weight": "How far an observation moved the verdict, in log-odds: 2.3 is ten to one.",
    "Recommendation": "What follows from the verdict.",
    "Baseline": "A known figure to compare with, such as the rate through the API in front.",
    "Findings": "What must be known about this measurement before it is trusted.",
    "Severity": "invalid: do not trust the measurement. warning: trust it with care. note: good "
    "to know.",
    "Valid": "Whether nothing was found that makes a level untrustworthy.",
    # Profile.
    "Profile": "Where the engine spends its time, from samples of its stacks.",
    "Hot functions": "The functions with most samples.",
    "Function": "A function's readable name; [unknown] where no symbol was found.",
    "Module": "The binary a function lives in, or [kernel].",
    "Self": "Share of samples (off-CPU: of time) with the function itself on top of the stack.",
    "Total": "Share of samples (off-CPU: of time) with the function anywhere in the stack.",
    "Samples": "How often the profiler looked and found this.",
    "Flame graph": "All sampled stacks at once: width is share, callers stand below callees, "
    "left to right is alphabetical and not time.",
    "On-CPU": "While running: where the computing goes.",
    "Off-CPU": "While not running: what threads wait for.",
    "Hardware counters": "What the processor counted in the profile window.",
    "Counter": "The name perf has for an event.",
    "Counted": "Share of the window in which the counter really ran; below 100 % its value is "
    "an extrapolation.",
    "Ratio": "A quotient of two counters.",
    "Threads": "The engine's threads over the control window of the deciding level.",
    "Busiest engine thread": "The thread with the largest on-CPU share, at every level.",
    "All engine threads": "Every thread of the engine in the control window of the deciding level.",
    "Thread": "A thread's name and id.",
    "On CPU": "Share of the window the thread was running.",
    "Busy per order": "On-CPU time of the busiest engine thread for one order.",
    "Waiting to run": "Share of the window the thread could have run but had no CPU.",
    "Voluntary switches": "How often the thread left the CPU by itself, to wait.",
    "Involuntary switches": "How often the thread was taken off the CPU.",
    "Memory": "The engine's memory over the run.",
    "Engine exit": "How the engine ended, when it ended before it was asked to.",
    "Capabilities": "What can and what cannot be measured on the engine's host.",
    "Capability": "Something that can or cannot be measured on the engine's host.",
    "Available": "Whether it can be measured, and if not, why.",
    "Remedy": "What would make it measurable.",
    # Agents and hosts.
    "Agents": "The load hosts. Their figures show whether the clients were the limit.",
    "Busiest worker": "On-CPU share of the agent's busiest thread. Near 100 % only with "
    "wait: spin.",
    "Round trip": "TCP's own smoothed round-trip time, averaged over connections.",
    "Retransmits": "TCP segments that had to be sent again.",
    "Receiver-limited": "Share of the time that the engine's receive window held the client back.",
    "Buffer-limited": "Share of the time that the client's own send buffer held it back.",
    "Peak memory": "The largest resident size of the process.",
    "Errors": "Failures of the load client by kind.",
    "Clocks": "Every host's monotonic clock against the driver's, compared again and again during "
    "the run, and how near to the common start the agents began.",
    "Clock offset": "The host's clock minus the driver's, at the first start.",
    "Clock error": "The offset at a start is known within ± this, by half the delay of the "
    "quickest exchanges.",
    "Clock drift": "By how many millionths the clock runs faster than the driver's, and how "
    "exactly that is known.",
    "Start skew": "When the agent's last worker was ready for its first order, minus the common "
    "start, by the driver's clock; of the level where it was largest.",
    "Hosts": "What every host was during the run.",
    "Fact": "One property of a host.",
    "Value": "What was measured.",
    "Method": "How this run was measured.",
    "Events": "What happened when, on the driver's clock.",
    "Event": "What happened.",
    "Details": "What is known of it.",
    "Experiment": "The experiment file as run, defaults filled in.",
    "Glossary": "The words of this report.",
    "Term": "A word of this report.",
    "Meaning": "What is meant by it here.",
    "Quantity": "What is measured.",
}
