import type { SamePictures } from "./_same_pictures.ts";
import type { InspectedPicture, SetName, SetSummary } from "./inspect_data.ts";

/** Something that is wrong or odd about a data set. */
export interface Finding {
  /** Which check found it. */
  readonly id:
    | "unreadable"
    | "same-picture-across-sets"
    | "same-picture-in-two-classes"
    | "no-training-pictures"
    | "no-validation-pictures"
    | "few-training-pictures"
    | "class-imbalance"
    | "same-picture-twice"
    | "tiny"
    | "huge"
    | "long"
    | "transparent";
  /** `problem`: results will be wrong. `warning`: they may be worse than they could be. `note`: good to know. */
  readonly severity: "problem" | "warning" | "note";
  /** What was found, in one line. */
  readonly title: string;
  /** What to do about it. */
  readonly help: string;
  /** The pictures or classes it is about. */
  readonly items: readonly FindingItem[];
}

/** One picture or class of a finding. */
export interface FindingItem {
  /** Name of the picture or class. */
  readonly name: string;
  /** What is special about it. */
  readonly detail: string;
  /** Where the picture is, and the first one it is the same as; none for classes and for pictures that cannot be read. */
  readonly pictures: readonly { readonly set: SetName; readonly index: number }[];
}

const tinySide = 32, hugePixels = 24e6, longSides = 3, fewPictures = 10, imbalance = 10;

/**
 * Applies all checks.
 *
 * @param classNames The classes.
 * @param sets The parts of the data in numbers.
 * @param pictures All pictures of all parts.
 * @param same Groups of positions in `pictures`.
 * @returns Findings, the worst first.
 */
export function findProblems(
  classNames: readonly string[],
  sets: readonly SetSummary[],
  pictures: readonly InspectedPicture[],
  same: readonly SamePictures[],
): Finding[] {
  const findings = [
    ...unreadable(pictures),
    ...samePictures(classNames, pictures, same),
    ...classSizes(classNames, sets),
    ...oddPictures(pictures),
  ];
  const rank = { problem: 0, warning: 1, note: 2 };
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

function itemOf(detail: string, ...pictures: readonly InspectedPicture[]): FindingItem {
  return { name: pictures[0].name, detail, pictures: pictures.map(({ set, index }) => ({ set, index })) };
}

function unreadable(pictures: readonly InspectedPicture[]): Finding[] {
  const bad = pictures.filter(({ reason }) => reason !== undefined);
  if (bad.length === 0) return [];
  return [{
    id: "unreadable",
    severity: "problem",
    title: `${counted(bad.length, "picture")} of ${pictures.length} cannot be read`,
    help: 'remove them, or pass { onUnreadable: "skip" }',
    items: bad.map(({ name, reason }) => ({ name, detail: reason!, pictures: [] })),
  }];
}

function samePictures(
  classNames: readonly string[],
  pictures: readonly InspectedPicture[],
  same: readonly SamePictures[],
): Finding[] {
  const across: FindingItem[] = [], inTwoClasses: FindingItem[] = [], twice: FindingItem[] = [];
  for (const { members, identical } of same) {
    const group = members.map((position) => pictures[position]);
    const [first, ...others] = group;
    const isElsewhere = new Set(group.map(({ set }) => set)).size > 1;
    const isInTwoClasses = new Set(group.map(({ label }) => label)).size > 1;
    const where = others.slice(0, 3).map(({ name, label, set }) => {
      const notes = [...(isInTwoClasses ? [classNames[label]] : []), ...(isElsewhere ? [set] : [])];
      return notes.length > 0 ? `${name} (${notes.join(", ")})` : name;
    });
    const more = others.length > 3 ? ` and ${others.length - 3} more` : "";
    const detail = `${identical ? "the same file as" : "looks the same as"} ${where.join(", ")}${more}`;
    if (isElsewhere) across.push(itemOf(detail, first, others[0]));
    if (isInTwoClasses) {
      inTwoClasses.push(itemOf(`${detail}; itself in ${classNames[first.label]}`, first, others[0]));
    }
    if (!isElsewhere && !isInTwoClasses) twice.push(itemOf(detail, first, others[0]));
  }
  const findings: Finding[] = [];
  if (across.length > 0) {
    findings.push({
      id: "same-picture-across-sets",
      severity: "problem",
      title: `${counted(across.length, "picture")} in more than one of training, validation and test set`,
      help: "keep each picture in one set: accuracy on pictures that were trained on says nothing",
      items: across,
    });
  }
  if (inTwoClasses.length > 0) {
    findings.push({
      id: "same-picture-in-two-classes",
      severity: "problem",
      title: `${counted(inTwoClasses.length, "picture")} in more than one class`,
      help: "keep each picture in the class it belongs to",
      items: inTwoClasses,
    });
  }
  if (twice.length > 0) {
    findings.push({
      id: "same-picture-twice",
      severity: "note",
      title: `${counted(twice.length, "picture")} more than once in the same set`,
      help: "remove the copies if they are not meant to count more",
      items: twice,
    });
  }
  return findings;
}

function classSizes(classNames: readonly string[], sets: readonly SetSummary[]): Finding[] {
  const findings: Finding[] = [];
  const training = sets[0];
  const classItems = (counts: readonly number[], matches: (count: number) => boolean) =>
    counts.flatMap((count, label) =>
      matches(count) ? [{ name: classNames[label], detail: counted(count, "picture"), pictures: [] }] : []
    );
  const empty = classItems(training.perClass, (count) => count === 0);
  if (empty.length > 0) {
    findings.push({
      id: "no-training-pictures",
      severity: "problem",
      title: `${counted(empty.length, "class", "classes")} without ${
        training.set === "data" ? "" : "training "
      }pictures`,
      help: "add pictures, or remove the class",
      items: empty,
    });
  }
  const validation = sets.find(({ set }) => set === "validation");
  const unvalidated = validation ? classItems(validation.perClass, (count) => count === 0) : [];
  if (unvalidated.length > 0) {
    findings.push({
      id: "no-validation-pictures",
      severity: "warning",
      title: `${counted(unvalidated.length, "class", "classes")} without validation pictures`,
      help: "add some, or nothing will be known about these classes",
      items: unvalidated,
    });
  }
  const few = classItems(training.perClass, (count) => count > 0 && count < fewPictures);
  if (few.length > 0) {
    findings.push({
      id: "few-training-pictures",
      severity: "note",
      title: `${counted(few.length, "class", "classes")} with fewer than ${fewPictures} pictures to train on`,
      help: "add pictures: a few dozen a class go a long way",
      items: few,
    });
  }
  const present = training.perClass.filter((count) => count > 0);
  const [least, most] = [Math.min(...present), Math.max(...present)];
  if (present.length > 1 && most >= imbalance * least) {
    findings.push({
      id: "class-imbalance",
      severity: "warning",
      title: `The largest class has ${(most / least).toFixed(0)} times as many pictures as the smallest`,
      help: 'pass { classWeights: "auto" }, and look at meanTop1 besides top1',
      items: [most, least].map((count) => {
        const label = training.perClass.indexOf(count);
        return { name: classNames[label], detail: counted(count, "picture"), pictures: [] };
      }),
    });
  }
  return findings;
}

function oddPictures(pictures: readonly InspectedPicture[]): Finding[] {
  const readable = pictures.filter(({ reason }) => reason === undefined);
  const size = ({ width, height }: InspectedPicture) => `${width} x ${height}`;
  const check = (
    id: Finding["id"],
    severity: Finding["severity"],
    matches: (picture: InspectedPicture) => boolean,
    title: (count: string) => string,
    help: string,
    detail: (picture: InspectedPicture) => string = size,
  ): Finding[] => {
    const found = readable.filter(matches);
    if (found.length === 0) return [];
    const items = found.map((picture) => itemOf(detail(picture), picture));
    return [{ id, severity, title: title(counted(found.length, "picture")), help, items }];
  };
  const ratio = ({ width, height }: InspectedPicture) => Math.max(width! / height!, height! / width!);
  return [
    ...check(
      "tiny",
      "note",
      ({ width, height }) => Math.min(width!, height!) < tinySide,
      (count) => `${count} with a side below ${tinySide} pixels`,
      "they are enlarged to the input of the network; use larger originals if there are any",
    ),
    ...check(
      "huge",
      "note",
      ({ width, height }) => width! * height! > hugePixels,
      (count) => `${count} of more than ${hugePixels / 1e6} million pixels`,
      "only the first epoch has to decode them; make them smaller if that takes too long",
    ),
    ...check(
      "long",
      "warning",
      (picture) => ratio(picture) >= longSides,
      (count) => `${count} with one side at least ${longSides} times the other`,
      "pictures are squeezed into a square: cut out the part that matters",
    ),
    ...check(
      "transparent",
      "warning",
      ({ transparent }) => transparent === true,
      (count) => `${count} with transparent parts`,
      "transparency is dropped: what lies under it is what the network sees; put them on a background",
    ),
  ];
}
