"""The handshake of an encrypted session: who calls KMS, and where a lock-out happens."""

from local.diagrams.drawing import Drawing

USER, KEY, NODE = 120, 440, 760


def handshake() -> Drawing:
    drawing = Drawing(
        "The handshake of an encrypted session",
        "Session Manager tells the user's client and the node's agent the key. The client calls kms:GenerateDataKey with the user's permissions, "
        "and sends the encrypted data key to the node. The agent calls kms:Decrypt with the permissions of the node's role. If either call is "
        "refused, or if the node cannot reach KMS, no session starts.",
        880, 480,
    )
    drawing.line("life", f"M{USER} 78V455M{KEY} 78V455M{NODE} 78V455")
    for x, name, what in (
        (USER, "User's client", "role that starts sessions"), (KEY, "KMS key", "key policy and grants"), (NODE, "Node's agent", "role of the node"),
    ):
        drawing.box("card", x - 95.5, 22.5, 191, 56, [("name", name), ("soft", what)])

    def step(x: float, y: float, width: float, text: str) -> None:
        """The text above a line, on a ground that hides what is below it."""
        drawing.parts.append(f'<rect class="under" x="{x - width / 2:g}" y="{y - 16:g}" width="{width:g}" height="22"/>')
        drawing.text(x, y, text)

    step(KEY, 111, 520, "1. StartSession: both sides get *kmsKeyId* of the preferences document")
    drawing.line("arrow", f"M{USER + 2} 124H{NODE - 2}", both=True)

    drawing.text(280, 165, "2. *kms:GenerateDataKey*").line("arrow", f"M{USER} 178H{KEY - 3}").line("back", f"M{KEY} 208H{USER + 3}")
    drawing.text(280, 226, "data key, in plain and encrypted", "soft").line("cross", "M404 170l16 16M420 170l-16 16")
    drawing.box("lockout", 464.5, 152.5, 272, 72, [
        ("fail-name", "Lock-out"), ("", "The user may not use the key."), ("soft", "No session of this user starts."),
    ], begin=True)

    step(KEY, 263, 330, "3. the encrypted data key, over the session")
    drawing.line("arrow", f"M{USER} 276H{NODE - 3}")

    drawing.text(600, 317, "4. *kms:Decrypt*").line("arrow", f"M{NODE} 330H{KEY + 3}").line("back", f"M{KEY} 360H{NODE - 3}")
    drawing.text(600, 378, "data key, in plain", "soft").line("cross", "M460 322l16 16M476 322l-16 16")
    drawing.box("lockout", 143.5, 296.5, 272, 90, [
        ("fail-name", "Lock-out"), ("", "The node may not use the key,"), ("", "or cannot reach KMS."), ("soft", "No session on this node starts."),
    ], begin=True)

    step(KEY, 425, 330, "5. the session, encrypted with the data key")
    return drawing.line("session", f"M{USER + 5} 440H{NODE - 5}", both=True)
