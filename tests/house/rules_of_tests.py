"""What a test may not do: skip, patch our own modules, or sleep instead of waiting."""

from __future__ import annotations

import ast

from tests.house.tree import Finding, Tree, dotted, name_of

MAY_SLEEP = ("tests/bench/", "tests/waiting.py")

OURS = ("monitor", "dashboard")


def no_skip(tree: Tree) -> list[Finding]:
    """A test whose real part is missing fails, and says what to install."""
    words = {"skip", "skipif", "skipIf", "skipUnless", "importorskip", "xfail", "expectedFailure"}
    return [
        Finding(source.path, node.lineno, f"{dotted(node)} in a test")
        for source in tree.sources
        for node in ast.walk(source.module)
        if isinstance(node, ast.Attribute)
        and node.attr in words
        and dotted(node).split(".")[0] in {"pytest", "unittest", "mark"}
    ]


def no_patch_of_ours(tree: Tree) -> list[Finding]:
    """Fakes come in through ports; nobody reaches into our modules from outside."""
    found = []
    for source in tree.sources:
        for node in ast.walk(source.module):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            first = node.args[0]
            how = name_of(node.func)
            if (
                how in {"patch", "setattr", "delattr", "dict"}
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and first.value.split(".")[0] in OURS
            ):
                found.append(Finding(source.path, node.lineno, f"{how}({first.value!r})"))
            elif (
                dotted(node.func) in {"monkeypatch.setattr", "monkeypatch.delattr", "patch.object"}
                and dotted(first).split(".")[0] in OURS
            ):
                found.append(Finding(source.path, node.lineno, f"{how}({dotted(first)})"))
    return found


def no_sleep(tree: Tree) -> list[Finding]:
    """`eventually` waits for what should come true, with a deadline; `sleep(0)` gives way only."""
    return [
        Finding(source.path, node.lineno, f"{dotted(node.func)} in a test")
        for source in tree.sources
        if not source.within(*MAY_SLEEP)
        for node in ast.walk(source.module)
        if isinstance(node, ast.Call)
        and dotted(node.func) in {"time.sleep", "asyncio.sleep"}
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]
