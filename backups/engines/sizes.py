"""Sizes in bytes, as people read them where they must be exact."""


def size_text(count: int) -> str:
    """Exact, in the largest unit that leaves a whole number: "500 GiB", "2 TB", "123 bytes"."""
    for power in range(5, 0, -1):
        for base, suffix in ((1024, "iB"), (1000, "B")):
            if count and count % base**power == 0:
                letter = "KMGTP"[power - 1] if base == 1024 else "kMGTP"[power - 1]
                return f"{count // base**power:,} {letter}{suffix}"
    return f"{count:,} byte{'' if count == 1 else 's'}"
