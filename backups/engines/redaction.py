"""Secrets are taken out of text before anybody stores or shows it."""

import json
import re

MASK = "***"

# What stands between :// and the first colon: a user, or a host whose port follows.
_USERINFO = re.compile(r"://([^:/\s\"'<>\[]*):")
# Up to the first dot in one way only: with two, a line of dots alone would take hours.
_HOST_AND_PORT = re.compile(r"(?:localhost|[^:/.]*\.[^:/]*):\d{1,5}(?=[/?#\s\"'\\]|$)")
_MASKED = re.compile(r"\*\*\*@[^@\s\"']*(?=[\s\"']|$)")
_JSON_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"")

# Go names what it could not parse in a URL, and that is a piece of the password.
_URL_COMPLAINT = re.compile(
    r"(invalid (?:port|URL escape|character) )"
    r"(?:\"(?:\\.|[^\"\\\n])*\"|\\\"(?:\\\\\\.|[^\"\\\n])*\\\")"
)

# It also repeats the URL, of which a raw password may have cut off the rest with its @.
_UNREAD_URL = re.compile(
    r"(parse \\{0,3}\"[^\":\n]{0,40}://[^:/\"\\\n]{0,255}:)(?!\*\*\*).*?(\\{0,3}\": |$)",
    re.MULTILINE,
)

# One that ends in _FILE holds a path, which may be read.
_NAME = (
    r"(?![A-Z0-9_]{0,80}_FILE=)[A-Z0-9_]{0,40}"
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|ACCESS_KEY|ACCOUNT_KEY)[A-Z0-9_]{0,40}=(?!\*\*\*)"
)
_VARIABLE = re.compile(rf"(?<![A-Z0-9_])({_NAME})(?:\"(?:\\.|[^\"\\\n])*\"?|'[^'\n]*'?|\S*)")
# systemd quotes the whole assignment: Environment="RESTIC_PASSWORD=two words"
_QUOTED_VARIABLE = re.compile(rf"([\"'])({_NAME})(?:\\.|(?!\1)[^\\\n])*")
_AUTHORIZATION = re.compile(
    r"(authorization[\"']?[ \t]*[:=][ \t]*[\"']?)(?:(?:basic|bearer|digest)[ \t]+)?[^\s\"',}]+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Masks passwords in URLs and variables, and Authorization headers, line by line."""
    text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
    text = _QUOTED_VARIABLE.sub(rf"\1\2{MASK}", text)
    text = _VARIABLE.sub(rf"\1{MASK}", text)
    text = _URL_COMPLAINT.sub(rf"\1{MASK}", text)
    text = _UNREAD_URL.sub(rf"\1{MASK}\2", text)
    if "://" not in text:
        return text
    return "\n".join(_redact_line(line) for line in text.split("\n"))


def _redact_line(line: str) -> str:
    if "://" not in line or "@" not in line:
        return line
    if line.startswith("{") and _is_json(line):
        # A password ends where its string does, so that the document stays one.
        return _JSON_STRING.sub(lambda match: _redact_urls(match[0]), line)
    return _redact_urls(line)


def _redact_urls(text: str) -> str:
    """Masks from the first password to the last @: a raw password may hold any character."""
    last_at = text.rfind("@")
    position = 0
    while match := _USERINFO.search(text, position, max(last_at, 0)):
        position = match.end()
        is_harmless = _MASKED.match(text, position) or _HOST_AND_PORT.match(text, match.start(1))
        if not is_harmless:
            return f"{text[:position]}{MASK}{text[last_at:]}"
    return text


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
