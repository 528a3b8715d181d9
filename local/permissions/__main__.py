"""``python -m local.permissions``: writes docs/permissions.md."""

from local.permissions.page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page())
