#!/usr/bin/env python3
"""Fails when a file breaks the architecture. Run by ctest; by hand: include_check.py ROOT

- `#include "module/…"` only of modules that the file's own module declares in DEPENDS, and the
  declared arrows have no cycle;
- the driver's headers stay in src/mongo (libbson's also in src/bson/*.cpp);
- *_testing.h is included by tests and other testing files only;
- Smokava's business stays in src/smokava, profiles/ and the `holdfast smokava` command;
- files of at most 600 lines, lines of at most 100 characters.

`--self-test` breaks each rule in a small tree of its own and expects to be told so.
"""

import re
import sys
import tempfile
import unittest
from pathlib import Path

MAX_FILE_LINES = 600
MAX_LINE_CHARACTERS = 100
MODULE = re.compile(r"holdfast_module\(\s*(\w+)([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TEST_FILE = re.compile(r"_(test|testing|fuzz)\.(cpp|h)$")
# Where the smokava command is entered in the command line's table: its header, and its function.
SMOKAVA_ROW = re.compile(r'#include "cli/commands/smokava\w*\.h"|\b(\w+_)?smokava(_\w+)?\(\)')


def read_modules(root):
    """{module: set of modules that it declares to depend on}"""
    modules = {}
    for path in sorted(root.glob("src/*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for name, arguments in MODULE.findall(text):
            words, depends, keyword = arguments.split(), set(), ""
            for word in words:
                if word in ("DEPENDS", "LIBRARIES"):
                    keyword = word
                elif keyword == "DEPENDS":
                    depends.add(word)
            modules[name] = depends
    return modules


def find_cycle(modules):
    """Modules that form a cycle, in order, or None."""
    done = set()

    def visit(name, path):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return None
        for below in sorted(modules.get(name, ())):
            if cycle := visit(below, path + [name]):
                return cycle
        done.add(name)
        return None

    for name in sorted(modules):
        if cycle := visit(name, []):
            return cycle
    return None


def check_include(where, module, relative, mark, header, modules):
    """The complaints about one #include."""
    in_test = TEST_FILE.search(relative)
    if re.match(r"mongoc([./]|$)", header) and module != "mongo":
        yield f"{where}: <{header}>: the driver's headers stay in src/mongo"
    if re.match(r"(bson/bson\.h|bson\.h|libbson)", header):
        in_bson_source = module == "bson" and relative.endswith(".cpp")
        if module != "mongo" and not in_bson_source:
            yield f"{where}: <{header}>: libbson stays in src/mongo and src/bson/*.cpp"
        return
    if mark == "<":
        if header.split("/")[0] in modules and header.endswith(".h") and "/" in header:
            if header.split("/")[0] != "bson":
                yield f'{where}: <{header}>: our own headers are included with "…"'
        return
    if header.endswith("_testing.h") and not in_test:
        yield f"{where}: {header} is for tests only"
    target = header.split("/")[0]
    if "/" not in header:
        yield f'{where}: "{header}": write the module too, "{module}/{header}"'
    elif target not in modules:
        yield f'{where}: "{header}": there is no module {target}'
    elif target != module and target not in modules[module]:
        yield f"{where}: {module} -> {target}: {module} does not declare this dependency"


def check_lines(relative, lines):
    if len(lines) > MAX_FILE_LINES:
        yield f"{relative}:{len(lines)}: {len(lines)} lines, more than {MAX_FILE_LINES}"
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_CHARACTERS:
            yield f"{relative}:{number}: {len(line)} characters, more than {MAX_LINE_CHARACTERS}"


def check_smokava(relative, lines):
    """Nothing but Smokava's own places knows Smokava."""
    # Tests of the command line run the whole program, its Smokava commands and profile too.
    is_cli_test = relative.startswith("src/cli/") and relative.endswith("_test.cpp")
    if is_cli_test or relative.startswith(("src/smokava/", "src/cli/commands/smokava")):
        return
    for number, line in enumerate(lines, 1):
        rest = SMOKAVA_ROW.sub("", line) if relative.startswith("src/cli/") else line
        if "smokava" in rest.lower():
            yield f"{relative}:{number}: Smokava's business belongs in src/smokava or profiles/"


def check_tree(root):
    """All complaints about a tree, as sentences that begin with file:line."""
    modules = read_modules(root)
    if cycle := find_cycle(modules):
        yield f"src/{cycle[0]}/CMakeLists.txt:1: the modules form a cycle: {' -> '.join(cycle)}"
    for name, depends in modules.items():
        for unknown in sorted(depends - set(modules)):
            yield f"src/{name}/CMakeLists.txt:1: {name} depends on {unknown}, which is no module"
    for path in sorted([*root.glob("src/**/*.h"), *root.glob("src/**/*.cpp")]):
        relative = path.relative_to(root).as_posix()
        module = relative.split("/")[1]
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from check_lines(relative, lines)
        yield from check_smokava(relative, lines)
        if module not in modules:
            yield f"{relative}:1: {module} is no module: its folder has no holdfast_module()"
            continue
        for number, line in enumerate(lines, 1):
            if found := INCLUDE.match(line):
                yield from check_include(f"{relative}:{number}", module, relative,
                                         found[1], found[2], modules)
    for pattern in ("tests/**/*.h", "tests/**/*.cpp", "bench/*.cpp", "bench/*.h",
                    "tests/**/*.py", "scripts/**/*.py", "scripts/**/*.sh", "bench/run", "dev"):
        for path in sorted(root.glob(pattern)):
            yield from check_lines(path.relative_to(root).as_posix(),
                                   path.read_text(encoding="utf-8").splitlines())


class SelfTest(unittest.TestCase):
    """Each rule, broken once."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.module("base")
        self.module("bson", "base")
        self.module("mongo", "base bson")
        self.module("smokava", "base")
        self.module("cli", "base smokava")
        self.write("src/bson/order.cpp", '#include "base/bytes.h"\n#include <bson/bson.h>\n')
        self.write("src/mongo/client.cpp", "#include <mongoc/mongoc.h>\n#include <vector>\n")
        self.write("src/mongo/client_test.cpp", '#include "mongo/server_testing.h"\n')
        self.write("src/smokava/seed.cpp", "// Smokava's own\n")
        self.write("src/cli/table.cpp",
                   '#include "cli/commands/smokava.h"\nauto a = smokava_command();\n')

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def module(self, name, depends=""):
        depends = f"DEPENDS {depends}\n" if depends else ""
        self.write(f"src/{name}/CMakeLists.txt",
                   f"holdfast_module({name}\n  {depends}  LIBRARIES fmt::fmt)\n")

    def complaint(self):
        found = list(check_tree(self.root))
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_accepts_a_tree_that_keeps_the_rules(self):
        self.assertEqual(list(check_tree(self.root)), [])

    def test_names_the_place_of_a_new_arrow(self):
        self.write("src/base/bytes.cpp", '\n#include "mongo/client.h"\n')
        self.assertIn("src/base/bytes.cpp:2: base -> mongo", self.complaint())

    def test_an_arrow_in_a_test_counts_too(self):
        self.write("src/base/bytes_test.cpp", '#include "bson/order.h"\n')
        self.assertIn("base -> bson", self.complaint())

    def test_refuses_a_cycle(self):
        self.module("base", "mongo")
        self.assertIn("base -> mongo -> base", self.complaint())

    def test_refuses_an_unknown_module(self):
        self.module("base", "drawer")
        self.assertIn("drawer", self.complaint())

    def test_keeps_the_driver_in_mongo(self):
        self.write("src/cli/a.cpp", "#include <mongoc/mongoc.h>\n")
        self.assertIn("stay in src/mongo", self.complaint())

    def test_keeps_libbson_out_of_headers(self):
        self.write("src/bson/document.h", "#include <bson/bson.h>\n")
        self.assertIn("libbson", self.complaint())

    def test_keeps_testing_headers_in_tests(self):
        self.write("src/mongo/scan.cpp", '#include "mongo/server_testing.h"\n')
        self.assertIn("for tests only", self.complaint())

    def test_keeps_smokava_in_its_place(self):
        self.write("src/mongo/scan.cpp", 'auto name = "SmoKava";\n')
        self.assertIn("src/mongo/scan.cpp:1: Smokava", self.complaint())

    def test_allows_only_the_row_in_the_command_table(self):
        self.write("src/cli/table.cpp", 'auto a = "smokava";\n')
        self.assertIn("src/cli/table.cpp:1: Smokava", self.complaint())

    def test_limits_lines_by_characters_not_bytes(self):
        self.write("src/mongo/scan.cpp", "// " + "ق" * 97 + "\n")
        self.assertEqual(list(check_tree(self.root)), [])
        self.write("src/mongo/scan.cpp", "// " + "x" * 98 + "\n")
        self.assertIn("101 characters", self.complaint())

    def test_limits_files(self):
        self.write("src/mongo/scan.cpp", "\n" * 601)
        self.assertIn("601 lines", self.complaint())


def main():
    if sys.argv[1:] == ["--self-test"]:
        unittest.main(argv=sys.argv[:1])
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    complaints = list(check_tree(root))
    for complaint in complaints:
        print(f"error: {complaint}")
    print(f"{len(complaints)} breaches of the architecture")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
