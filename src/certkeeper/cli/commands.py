"""Which function carries a command out; each is loaded only when it is asked for."""

import argparse
from importlib import import_module

COMMANDS = {
    "account": "account.command:account",
    "activate": "activate:activate",
    "alert": "alert:alert",
    "check": "check:check",
    "completion": "completion.command:completion",
    "config check": "config.check:check",
    "config convert": "config.convert:convert",
    "config show": "config.show:show",
    "daemon": "daemon:daemon",
    "deploy": "deploy:deploy",
    "dns caa": "dns.caa:caa",
    "dns cleanup": "dns.cleanup:cleanup",
    "dns doctor": "dns.doctor:doctor",
    "dns persist": "dns.persist:persist",
    "dns test": "dns.trial:trial",
    "doctor": "doctor:doctor",
    "explain": "explain:explain",
    "heal": "heal:heal",
    "history": "history:history",
    "hold": "hold:hold",
    "init": "first.command:init",
    "issue": "issue:issue",
    "ocsp check": "ocsp:check",
    "ocsp fetch": "ocsp:fetch",
    "ocsp show": "ocsp:show",
    "plan": "plan:plan",
    "prune": "prune:prune",
    "rehearse": "rehearse:rehearse",
    "report": "report.command:report",
    "retire": "retire:retire",
    "revoke": "revoke:revoke",
    "rollback": "rollback:rollback",
    "run": "run:run",
    "schema": "schema:schema",
    "self-check": "selfcheck:self_check",
    "sign": "sign:sign",
    "status": "status:status",
    "timer": "timer:timer",
    "tlsa check": "tlsa.check:check",
    "tlsa compromise": "tlsa.turning:compromise",
    "tlsa generate": "tlsa.generate:generate",
    "tlsa retire": "tlsa.turning:retire",
    "tlsa roll": "tlsa.turning:roll",
    "tlsa status": "tlsa.status:status",
    "unlock": "unlock:unlock",
    "versions": "versions:versions",
    "why": "why:why",
}
"""Module below certkeeper.cli, and its function from options to an exit code."""


def carry_out(options: argparse.Namespace) -> int:
    """Run the command that was typed, and return its exit code."""
    module, _, function = COMMANDS[_typed(options)].partition(":")
    return int(getattr(import_module(f"certkeeper.cli.{module}"), function)(options))


def _typed(options: argparse.Namespace) -> str:
    """`run`, `dns doctor`. Parts of account are its own affair."""
    command = str(options.command)
    part = getattr(options, f"{command}_command", None)
    whole = f"{command} {part}" if part else command
    return whole if whole in COMMANDS else command
