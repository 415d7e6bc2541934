"""`manage.py certificates`: what the servers show to their hosts."""

import sys
from pathlib import Path

from backups.actions import authorities, certificates_apply, renewals
from backups.actions import certificates as actions
from backups.engines import encryption
from backups.engines.certificates import KINDS, Checked
from backups.engines.errors import EngineError
from backups.management.certificate_answers import facts_of, leave_by, lines_of, verdict_of
from backups.management.noun import SERVER, NounCommand, Option, Verb, finish, server_named
from backups.models import Authority, Certificate, Operation, Server
from backups.queries.trust import clients_of, published_names, system_store

_FILES: Option = (
    "files",
    {"nargs": "+", "metavar": "FILE", "help": "certificate, chain, key; - reads standard input"},
)
_NAMES: Option = (
    "--name",
    {"action": "append", "default": [], "help": "name or address that hosts use; may be repeated"},
)
_PASSWORD: Option = ("--password-file", {"default": "", "help": "of the key, or of a PKCS#12 file"})
_KIND: Option = ("--kind", {"choices": KINDS, "default": KINDS[0]})
_WAIT: Option = (
    "--wait",
    {"type": float, "default": None, "help": "seconds that uploads have to end before; 0: none"},
)
_WARNINGS: Option = ("--accept-warnings", {"action": "store_true"})
_WHICH: Option = ("fingerprint", {"help": "or its beginning, as `list` shows it"})
_LARGEST = 2 * 1024 * 1024


class Command(NounCommand):
    """Certificates: brought, made, checked, applied, and taken back."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        own = {"action": "store_true", "help": "it signs itself: hosts need each new one"}
        apply = {"action": "store_true", "help": "and have the server show it"}
        return {
            "check": (self.check_files, [_FILES, _NAMES, _PASSWORD, SERVER]),
            "install": (self.install, [_FILES, _PASSWORD, SERVER, _WARNINGS, _WAIT]),
            "list": (self.list_all, [SERVER]),
            "apply": (self.apply, [_WHICH, SERVER, _WARNINGS, _WAIT]),
            "rollback": (self.rollback, [SERVER, _WAIT]),
            "make": (
                self.make,
                [_NAMES, _KIND, SERVER, ("--self-signed", own), ("--apply", apply), _WAIT],
            ),
            "make-ca": (self.make_ca, [("--name", {"default": ""})]),
            "ca": (self.ca, []),
            "make-request": (self.make_request, [_NAMES, _KIND, SERVER]),
            "export": (self.export, [_WHICH, SERVER, ("--key", {"action": "store_true"})]),
            "watch": (self.watch, [("directory", {}), SERVER]),
            "unwatch": (self.unwatch, [SERVER]),
            "tls": (
                self.tls,
                [
                    ("state", {"choices": ["on", "off"]}),
                    SERVER,
                    ("--min-version", {"choices": ["1.2", "1.3"], "default": "1.2"}),
                    _WAIT,
                ],
            ),
            "rotate-key": (self.rotate_key, []),
            "new-key": (self.new_key, []),
        }

    def check_files(
        self, files: list[str], name: list[str], password_file: str, server: str | None
    ) -> None:
        """Judge files; 0: fine, 1: errors, 2: warnings only."""
        of = server_named(server) if server else None
        names = name or (published_names(of) if of else ())
        checked = actions.check_files(
            _read_all(files), names=names, password=_password(password_file), server=of
        )
        self.answer(verdict_of(checked), lines_of(checked) or "No finding: it can be used.")
        leave_by(checked)

    def install(
        self,
        files: list[str],
        password_file: str,
        server: str | None,
        wait: float | None,
        *,
        accept_warnings: bool,
    ) -> None:
        """Check files, keep them, and have the server show them; as `check` where it does not."""
        of, content, password = server_named(server), _read_all(files), _password(password_file)
        names = published_names(of)
        checked = actions.check_files(content, names=names, password=password, server=of)
        self._insist(of, checked, accept_warnings=accept_warnings)
        certificate = actions.add_certificate(of, content, password=password, by="terminal")
        self._apply(certificate, wait)

    def list_all(self, server: str | None) -> None:
        """All that are kept, the newest first."""
        rows = Certificate.objects.select_related("server").order_by("server__name", "-created")
        if server:
            rows = rows.filter(server=server_named(server))
        lines = [
            f"{row.fingerprint[:12]}  {row.server.name:20} {row.subject:30} "
            f"{'served' if row.is_live else 'kept':7} {row.not_after:%Y-%m-%d} {row.words}"
            for row in rows
        ]
        self.answer([facts_of(row) for row in rows], "\n".join(lines) or "No certificate yet.")

    def apply(
        self, fingerprint: str, server: str | None, wait: float | None, *, accept_warnings: bool
    ) -> None:
        """Have the server show one that is kept."""
        certificate = _certificate(fingerprint, server)
        checked = actions.check_certificate(certificate)
        self._insist(certificate.server, checked, accept_warnings=accept_warnings)
        self._apply(certificate, wait)

    def rollback(self, server: str | None, wait: float | None) -> None:
        """Have the server show the certificate from before."""
        of = server_named(server)
        self._finish(certificates_apply.roll_back(of, by="terminal", wait=wait), of)

    def make(
        self,
        name: list[str],
        kind: str,
        server: str | None,
        wait: float | None,
        *,
        self_signed: bool,
        apply: bool,
    ) -> None:
        """Make one here, by the authority of the house."""
        of = server_named(server)
        make = actions.make_self_signed if self_signed else actions.make_certificate
        certificate = make(of, by="terminal", names=name, kind=kind)
        if apply:
            self._apply(certificate, wait)
        else:
            self.answer(facts_of(certificate), f"{certificate.fingerprint}\nApply it: `apply`.")

    def make_ca(self, name: str) -> None:
        """Make the authority of the house."""
        self._show_authority(authorities.make_authority(name, by="terminal"))

    def ca(self) -> None:
        """Print what hosts need to trust this house: --cacert."""
        authority = Authority.objects.current()
        if authority is None:
            raise EngineError("The house has no authority yet: manage.py certificates make-ca.")
        self._show_authority(authority)

    def make_request(self, name: list[str], kind: str, server: str | None) -> None:
        """Print a signing request; its key stays here, its answer is installed later."""
        of = server_named(server)
        request = actions.make_request(of, by="terminal", names=name, kind=kind)
        self.answer(
            {"server": of.name, "names": request.names, "request": request.pem},
            request.pem.removesuffix("\n"),
        )

    def export(self, fingerprint: str, server: str | None, *, key: bool) -> None:
        """Print a certificate with its chain, and its key only with --key."""
        certificate = _certificate(fingerprint, server)
        secret = actions.export_key(certificate, by="terminal") if key else ""
        data = {**facts_of(certificate), "chain": certificate.chain}
        self.answer(data | ({"key": secret} if key else {}), (certificate.chain + secret).rstrip())

    def watch(self, directory: str, server: str | None) -> None:
        """Take what another tool renews into this folder, by itself."""
        of = server_named(server)
        path = str(Path(directory).absolute())
        watch = renewals.watch_directory(of, path, by="terminal")
        self.answer({"server": of.name, "directory": path}, f"{watch} is watched for {of}")

    def unwatch(self, server: str | None) -> None:
        """Look into that folder no more."""
        of = server_named(server)
        renewals.unwatch_directory(of, by="terminal")
        self.answer({"server": of.name, "directory": ""}, f"No folder is watched for {of}")

    def tls(self, state: str, server: str | None, min_version: str, wait: float | None) -> None:
        """Turn TLS on or off, or set the lowest version."""
        of = server_named(server)
        lowest = "1.3" if min_version == "1.3" else ""
        operation = certificates_apply.change_line(
            of, has_tls=state == "on", tls_min_version=lowest, by="terminal", wait=wait
        )
        self._finish(operation, of)

    def rotate_key(self) -> None:
        """Encrypt all private keys with a new key; the former one stays until the next time."""
        count = authorities.rotate_encryption_key(by="terminal")
        self.answer({"keys": count}, f"{count} private key{'s' * (count != 1)} encrypted anew")

    def new_key(self) -> None:
        """Print a key for ENCRYPTION_KEY."""
        key = encryption.new_key()
        self.answer({"key": key}, key)

    def _insist(self, server: Server, checked: Checked, *, accept_warnings: bool) -> None:
        """Leave with the findings, and with whom it would lock out, unless that is accepted."""
        chain = checked.pair.chain if checked.pair else ""
        broken = clients_of(server, chain, system_store()).broken if chain else ()
        if checked.errors or ((checked.warnings or broken) and not accept_warnings):
            refusing = [{"job": str(one.job), "reason": one.reason} for one in broken]
            said = [f"warning  would-refuse         {one.job}: {one.reason}" for one in broken]
            self.answer(
                {**verdict_of(checked), "would_refuse": refusing},
                "\n".join(filter(None, [lines_of(checked), *said])),
            )
            sys.exit(1 if checked.errors else 2)

    def _apply(self, certificate: Certificate, wait: float | None) -> None:
        operation = certificates_apply.apply_certificate(certificate, by="terminal", wait=wait)
        self._finish(operation, certificate.server)

    def _finish(self, operation: Operation, server: Server) -> None:
        ended = finish(operation)
        shown = server.certificates.served().first()
        data = facts_of(shown) if shown else {"server": server.name, "is_live": False}
        self.answer({**data, "proof": ended.step}, f"Live, proven: {ended.step}")

    def _show_authority(self, authority: Authority) -> None:
        data = {
            "name": authority.name,
            "fingerprint": authority.fingerprint,
            "not_after": authority.not_after,
            "certificate": authority.chain,
        }
        self.answer(data, authority.chain.removesuffix("\n"))


def _certificate(fingerprint: str, server: str | None) -> Certificate:
    rows = Certificate.objects.select_related("server")
    if server:
        rows = rows.filter(server=server_named(server))
    found = list(rows.filter(fingerprint__startswith=fingerprint.replace(":", "").lower())[:2])
    if len(found) != 1:
        several = "Several certificates begin so" if found else "No certificate begins so"
        raise EngineError(f"{several}: {fingerprint}. `certificates list` shows them all.")
    return found[0]


def _read_all(files: list[str]) -> list[bytes]:
    return [_read(file) for file in files]


def _read(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(_LARGEST)
        with Path(file).open("rb") as stream:
            return stream.read(_LARGEST)
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}.") from error


def _password(file: str) -> str:
    return _read(file).decode(errors="replace").split("\n", 1)[0].rstrip("\r") if file else ""
