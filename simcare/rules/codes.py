"""The codes of the rulebook: clocks, events and their causes, where a client stands, classes of urgency, changes."""

from __future__ import annotations

# Clocks. Rise and recovery have one for each number of levels of need, 1 to 5.
JUMPS = 5
RISE, RECOVER = 0, JUMPS
INDUCED, CRISIS, DETECTION, STEP_DOWN, DEATH, LEAVING, RENEGE, PREMATURE = range(2 * JUMPS, 2 * JUMPS + 8)
CLOCKS = 18
CLOCK_SLOTS = {
    "rise": RISE, "recover": RECOVER, "induced": INDUCED, "crisis": CRISIS, "detection": DETECTION,
    "step_down": STEP_DOWN, "premature": PREMATURE, "death": DEATH, "leaving": LEAVING, "renege": RENEGE
}  # fmt: skip

# What comes next for a client beside the clocks: things that are scheduled, not random.
ARRIVE, ASSESS, TASK_END, REVIEW, SHORT_END, HOSPITAL_END, BIRTHDAY, NEW_TERMS, NOTHING = range(CLOCKS, CLOCKS + 9)

# Where a client stands; and in hospital: not, treated, or ready to leave.
NOT_YET_KNOWN, OUT, REFERRED, IN_SERVICE, GONE = range(5)
BOUGHT, LOST = 1, 2  # a place beyond the pool's number: bought on the spot, or one that a cut took
NOT_THERE, TREATED, READY = range(3)

EVENTS = (
    "present", "arrival", "referral", "diverted", "assessed", "start", "move", "end", "rise", "fall", "crisis",
    "review", "birthday", "handover", "death", "left", "queued", "withdrawn", "kept", "displaced", "admitted", "ready",
    "discharged", "transition"
)  # fmt: skip
_EVENT = {name: code for code, name in enumerate(EVENTS)}
PRESENT = _EVENT["present"]
ARRIVAL = _EVENT["arrival"]
REFERRAL = _EVENT["referral"]
DIVERTED = _EVENT["diverted"]
ASSESSED = _EVENT["assessed"]
START = _EVENT["start"]
MOVE = _EVENT["move"]
END = _EVENT["end"]
ROSE = _EVENT["rise"]
FELL = _EVENT["fall"]
IN_CRISIS = _EVENT["crisis"]
REVIEWED = _EVENT["review"]
TURNED = _EVENT["birthday"]
HANDED_OVER = _EVENT["handover"]
DIED = _EVENT["death"]
LEFT = _EVENT["left"]
QUEUED = _EVENT["queued"]
WITHDRAWN = _EVENT["withdrawn"]
KEPT = _EVENT["kept"]
DISPLACED = _EVENT["displaced"]
ADMITTED = _EVENT["admitted"]
READY_TO_LEAVE = _EVENT["ready"]
DISCHARGED = _EVENT["discharged"]
TRANSITION = _EVENT["transition"]

CAUSES = (
    "", "day_0", "new", "again", "crisis", "direct", "advice", "not_in_need", "assessment", "short_term_end", "review",
    "step_down", "need", "induced", "handover", "hazard", "at_once", "up", "down", "same", "age", "hospital",
    "community", "planned", "reneged", "superseded", "cut", "supported", "unsupported", "premature", "failure"
)  # fmt: skip
_CAUSE = {name: code for code, name in enumerate(CAUSES)}
DAY_0 = _CAUSE["day_0"]
NEW = _CAUSE["new"]
AGAIN = _CAUSE["again"]
BY_CRISIS = _CAUSE["crisis"]
DIRECT = _CAUSE["direct"]
ADVICE = _CAUSE["advice"]
NOT_IN_NEED = _CAUSE["not_in_need"]
ASSESSMENT = _CAUSE["assessment"]
SHORT_TERM_END = _CAUSE["short_term_end"]
BY_REVIEW = _CAUSE["review"]
BY_PROVIDER = _CAUSE["step_down"]
BY_NEED = _CAUSE["need"]
BY_PROVISION = _CAUSE["induced"]
BY_HANDOVER = _CAUSE["handover"]
BY_HAZARD = _CAUSE["hazard"]
AT_ONCE_CRISIS = _CAUSE["at_once"]
UP = _CAUSE["up"]
DOWN = _CAUSE["down"]
SAME = _CAUSE["same"]
BY_AGE = _CAUSE["age"]
BY_HOSPITAL = _CAUSE["hospital"]
RENEGED = _CAUSE["reneged"]
SUPERSEDED = _CAUSE["superseded"]
BY_CUT = _CAUSE["cut"]
SUPPORTED = _CAUSE["supported"]
UNSUPPORTED = _CAUSE["unsupported"]
TOO_SOON = _CAUSE["premature"]
BY_FAILURE = _CAUSE["failure"]

ROUTE_REFERRAL, ROUTE_CRISIS, ROUTE_DIRECT = range(3)
ROUTES = {"referral": ROUTE_REFERRAL, "crisis": ROUTE_CRISIS, "direct": ROUTE_DIRECT}

# Queue classes, the most urgent first, as the log names them; who waits rises one class for each 28 days.
CLASSES = ("crisis", "hospital", "community", "planned")
CRISIS_CLASS, HOSPITAL_CLASS = CLASSES.index("crisis"), CLASSES.index("hospital")
COMMUNITY_CLASS, PLANNED_CLASS = CLASSES.index("community"), CLASSES.index("planned")
CLASS_CAUSES = tuple(_CAUSE[name] for name in CLASSES)  # each class is a cause in the log, of the same name
# As measures tell those who wait apart: whose place was cut wait as urgently as a crisis, and are none.
WAITING_CLASSES = (*CLASSES, "displaced")
WAITING_CAUSES = (*CLASS_CAUSES, BY_CUT)
AGEING_DAYS = 28.0

# Who moves when places are cut.
LAST_IN, FIRST_IN, LEAST_NEED = range(3)
CUTS = {"last_in": LAST_IN, "first_in": FIRST_IN, "least_need": LEAST_NEED}

# What changes on a date for many at once: a number of places, occupancies (a month), the market (a quarter), a provider
# that fails.
PLACES, MONTH, QUARTER, FAILS = range(4)

# What a team does.
WORK = ("assessment", "review")
ASSESSES, REVIEWS = WORK.index("assessment"), WORK.index("review")
