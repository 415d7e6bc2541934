"""What a host without Python runs: lines of sh and curl that enrol it and tell its backups."""

KEY = "/etc/resthouse/key"
PROGRAM = "/usr/local/sbin/resthouse-run"
REPOSITORY = "Resthouse-Repository"
# As much of an output as the house takes; restic's summary and its errors stand at the end.
MAX_OUTPUT = 256 * 1024


def trusting(pin: str) -> str:
    """The options by which curl trusts one key alone; none where the system knows the authority."""
    return f" -k --pinnedpubkey '{pin}'" if pin else ""


def enrolment(url: str, token: str, *, pin: str = "") -> str:
    """Trades the token for a key, in a file that root alone reads. Neither is an argument."""
    return f"""\
(umask 077; mkdir -p /etc/resthouse
curl -fsS{trusting(pin)} {url}/api/enrol -H 'Content-Type: application/json' -d @- <<'END' |
{{"token": "{token}", "host": {{"agent": "curl"}}}}
END
sed -n 's/.*"key": *"\\([^"]*\\)".*/Authorization: Bearer \\1/p' >{KEY}.new
test -s {KEY}.new && mv {KEY}.new {KEY})
"""


def wrapper(url: str, *, pin: str = "") -> str:
    """A program that runs a command, tells what it printed, and ends as it ended."""
    return f"""\
#!/bin/sh
# resthouse-run JOB COMMAND...: run a restic command, tell {url} how it went, end as it ended.
job=$1 command=other; shift
case $job in *[!A-Za-z0-9_.-]*|'') echo 'JOB is letters, digits, _ . and -' >&2; exit 2;; esac
for word; do
  case $word in backup|forget|prune|check|restore) command=$word; break;; esac
done
umask 077
dir=$(mktemp -d) || exec "$@"
trap 'rm -rf "$dir"' EXIT
# The key and the repository stand in no process list; the house takes the password out.
repository=$(printf %s "$RESTIC_REPOSITORY" | tr -d '\\r\\n')
printf '{REPOSITORY}: %s\\n' "$repository" >"$dir/about"
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n')
about="job=$job&command=$command&key=$key&started=$(date +%s)"
about="$about&restic=$(restic version 2>/dev/null | cut -d' ' -f2)"
tell() {{
  curl -fsS{trusting(pin)} -m 10 -o /dev/null -H @{KEY} -H @"$dir/about" \\
    -H 'Content-Type: text/plain' --data-binary @- \\
    "{url}/api/output?$about$1" || echo 'resthouse-run: not told' >&2
}}
tell '' </dev/null &
"$@" >"$dir/said" 2>&1
code=$?
cat "$dir/said"
wait
grep -v '"message_type":"status"' "$dir/said" | tail -c 200000 |
  tell "&ended=$(date +%s)&exit=$code"
exit $code
"""


def installation(url: str, *, pin: str = "") -> str:
    """The lines that write the wrapper."""
    body = wrapper(url, pin=pin)
    return f"cat >{PROGRAM} <<'RESTHOUSE'\n{body}RESTHOUSE\nchmod 755 {PROGRAM}\n"
