import assert from "node:assert/strict";
import { type KeyPath, parseYamlFile, refuseProblems } from "../../recipes/_yaml_file.ts";

Deno.test("parseYamlFile() gives the value, and places of keys and values", () => {
  const file = parseYamlFile(
    "a.yaml",
    "# comment\r\nsam:\r\n  enable: True\r\n  list: [1, {x: 2}]\r\n  empty:\r\n",
  );
  assert.deepEqual(file.value, { sam: { enable: true, list: [1, { x: 2 }], empty: null } });
  assert.deepEqual(file.problems, []);
  const places: [KeyPath, "key" | "value", string][] = [
    [["sam"], "key", "a.yaml:2:1"],
    [["sam", "enable"], "value", "a.yaml:3:11"],
    [["sam", "enable"], "key", "a.yaml:3:3"],
    [["sam", "list", 1, "x"], "value", "a.yaml:4:17"],
    [["sam", "empty"], "value", "a.yaml:5:3"],
    [["sam", "missing"], "value", "a.yaml:2:1"],
    [["nowhere", "at", "all"], "value", "a.yaml:2:1"],
    [[], "value", "a.yaml:2:1"],
  ];
  for (const [path, at, place] of places) assert.equal(file.place(path, at), place, path.join("."));
});

Deno.test("parseYamlFile() reads JSON", () => {
  const file = parseYamlFile("a.json", '{\n "epochs": 3\n}');
  assert.deepEqual(file.value, { epochs: 3 });
  assert.equal(file.place(["epochs"]), "a.json:2:12");
});

Deno.test("parseYamlFile() names keys that are there twice, with both lines", () => {
  const file = parseYamlFile("a.yaml", 'a: 1\nb:\n  - {c: 1, d: 2, "c": 3}\na: 2\na: 3\n');
  assert.deepEqual(file.problems, [
    'a.yaml:3:18: "c": duplicate key, the first one is in line 3',
    'a.yaml:4:1: "a": duplicate key, the first one is in line 1',
    'a.yaml:5:1: "a": duplicate key, the first one is in line 1',
  ]);
  assert.equal(file.place(["a"]), "a.yaml:5:4"); // the value that counts
});

Deno.test("parseYamlFile() names what is no YAML, and gives no value", () => {
  const broken: [string, string][] = [
    [
      "a: [1, 2\nb: 3\n",
      "a.yaml:2:1: no YAML: Flow sequence in block collection must be sufficiently indented",
    ],
    ["a:\n\tb: 1\n", "a.yaml:2:1: no YAML: Tabs are not allowed as indentation"],
    ["a: 'x\n", "a.yaml:2:1: no YAML: Missing closing 'quote"],
    ["a: 1\n---\nb: 2\n", "a.yaml:2:1: no YAML: found a second document, wanted one"],
    ["a: *b\n", "a.yaml:1:1: no YAML: Unresolved alias"],
    ["a: !!python/name:os.system x\n", "a.yaml:1:4: no YAML: Unresolved tag"],
  ];
  for (const [text, problem] of broken) {
    const { problems } = parseYamlFile("a.yaml", text);
    assert.ok(
      problems.some((line) => line.startsWith(problem)),
      `${JSON.stringify(text)}: ${problems.join("\n")}`,
    );
  }
  assert.equal(parseYamlFile("a.yaml", "a: [1\n").value, undefined);
  // What follows from tabs is left out.
  assert.deepEqual(parseYamlFile("a.yaml", "a:\n  b: 1\n\tc: 2\n  d: 3\n\te: 4\n").problems, [
    "a.yaml:3:1: no YAML: Tabs are not allowed as indentation",
    "a.yaml:5:1: no YAML: Tabs are not allowed as indentation",
  ]);
});

Deno.test("parseYamlFile() is not blown up by aliases of aliases", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(", ")}]`);
  const { value, problems } = parseYamlFile("a.yaml", lines.join("\n"));
  assert.equal(value, undefined);
  assert.deepEqual(problems, [
    "a.yaml:1:1: no YAML: Excessive alias count indicates a resource exhaustion attack",
  ]);
});

Deno.test("refuseProblems() counts the problems of all files and throws them at once", () => {
  const one = parseYamlFile("one.yaml", "a: 1\n"), two = parseYamlFile("two.yaml", "b: 2\n");
  refuseProblems("Cannot do it", [one, two]);
  one.report(["a"], "a: found 1, wanted 2");
  assert.throws(() => refuseProblems("Cannot do it", [one, two]), {
    name: "UsageError",
    message: "Cannot do it: 1 problem\n  one.yaml:1:4: a: found 1, wanted 2",
  });
  two.report(["b"], "b: unknown key", "key");
  assert.throws(() => refuseProblems("Cannot do it", [one, two], ["--flag: found both"]), {
    message:
      "Cannot do it: 3 problems\n  one.yaml:1:4: a: found 1, wanted 2\n  two.yaml:1:1: b: unknown key\n  --flag: found both",
  });
});
