"""The pipeline of the function: from every trigger to its answer."""

from local.diagrams.drawing import Drawing

TRIGGERS = (
    ("CloudFormation", "custom resources"), ("EventBridge, SNS", "change events, schedule"), ("AWS Config", "question of a rule"),
    ("direct call", '{"action": …}'), ("command line", "session-kms …"),
)
# Left edge and width of each step, what it does to AWS, its name and what it is about.
STEPS = (
    (36, 148, "reads", "observe", "document, record,", "once the key"),
    (210, 148, "pure", "plan", "the next steps;", "none if as wanted"),
    (384, 176, "reads", "preflight", "who needs the key,", "and can use it"),
    (586, 188, "writes", "record", "what was there before,", "and what is wanted"),
    (800, 244, "writes", "write", "one value in a new version,", "which becomes the default"),
)


def pipeline() -> Drawing:
    drawing = Drawing(
        "The pipeline of session-kms",
        "Every trigger becomes an event and then an intent or a change event. The convergence loop observes, plans, checks access, writes the "
        "record and the document, and observes again, until nothing differs. Then comes the answer.",
        1080, 512,
    )
    for number, (name, about) in enumerate(TRIGGERS):
        x = 20 + 212 * number
        drawing.box("card", x, 16, 192, 56, [("name", name), ("soft", about)])
        if number < len(TRIGGERS) - 1:
            drawing.line("step", f"M{x + 96} 72V101")
    drawing.box("pure", 20, 102, 828, 40, [("", "_event_: JSON becomes a value, one file for each source (src/event/)")])
    drawing.line("step", "M540 142V165").line("step", "M964 72V186H802")
    drawing.box("pure", 280, 166, 520, 40, [("", "_intent_ or _change event_: what is wanted, or what has happened")])

    drawing.parts.append('<rect class="loop" x="20" y="226" width="1040" height="206" rx="8"/>')
    drawing.line("step", "M540 206V246H110V265")
    for number, (x, width, kind, name, *lines) in enumerate(STEPS):
        drawing.box(kind, x, 266, width, 80, [("name", name), *(("soft", line) for line in lines)])
        if number:
            before = STEPS[number - 1]
            drawing.line("step", f"M{before[0] + before[1]} 306H{x - 1}")
    drawing.line("step", "M922 346V384H110V347").text(540, 378, "read back: each round begins with a fresh observation", "soft")
    drawing.line("step", "M284 346V453").text(296, 404, "nothing is left to do", "soft begin")
    drawing.text(440, 422, "convergence loop (src/reconcile/converge.rs): requests of owners and repairs both run it", "soft begin")
    answer = "_answer_: PUT to CloudFormation, report as return value and to a destination, evaluation of AWS Config, text, JSON, Markdown, HTML"
    return drawing.box("card", 20, 454, 1040, 40, [("", answer)])
