import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decodePixels } from "../../lib/data/decode.ts";
import { imageFolder, imageFolders } from "../../lib/data/image_folder.ts";
import { failure, inFolder, png } from "./_pictures.ts";

Deno.test("imageFolder() finds pictures by class folder, nested, by any extension, in order", async () => {
  await inFolder({
    "pets/dog/b.JPG": png,
    "pets/dog/a.jpeg": png,
    "pets/cat/old/10.png": png,
    "pets/cat/old/9.tiff": png,
    "pets/cat/z.WebP": png,
    "pets/cat/.hidden.png": png,
    "pets/cat/.git/1.png": png,
    "pets/cat/notes.txt": "no picture",
    "pets/.cache/x/1.png": png,
    "pets/readme.md": "no class",
  }, async (folder) => {
    const path = join(folder, "pets");
    const pets = await imageFolder(path);
    assert.equal(pets.name, "pets");
    assert.deepEqual(pets.classNames, ["cat", "dog"]);
    assert.deepEqual(pets.samples.map(({ name, label }) => [name, label]), [
      ["cat/old/10.png", 0],
      ["cat/old/9.tiff", 0],
      ["cat/z.WebP", 0],
      ["dog/a.jpeg", 1],
      ["dog/b.JPG", 1],
    ]);
    assert.equal(pets.samples[0].image, join(path, "cat/old/10.png"));
    assert.deepEqual(await imageFolder(pathToFileURL(path)), pets);
    assert.deepEqual((await imageFolder(`${path}/`)).name, "pets");
  });
});

Deno.test("imageFolder() sorts class names by code point, as Python's sorted() does", async () => {
  // sorted(["b", "B", "10", "9", "é", "\uffee", "😀", "a b"]) in Python
  const sorted = ["10", "9", "B", "a b", "b", "é", "\uffee", "😀"];
  await inFolder(
    Object.fromEntries(sorted.toReversed().map((name) => [`${name}/1.png`, png])),
    async (folder) => {
      assert.deepEqual((await imageFolder(folder)).classNames, sorted);
    },
  );
});

Deno.test("imageFolder() takes names with spaces, quotes, Unicode and line breaks", async () => {
  const names = [
    "a b.png",
    `"quoted" 'twice'.png`,
    "line\nbreak.png",
    "naïve 漢字 😀.png",
    "back\\slash.png",
    "#1?.png",
  ];
  const files = Object.fromEntries(names.flatMap((name) => [[`x & <y>\n/${name}`, png], [`z/${name}`, png]]));
  await inFolder(files, async (folder) => {
    const { samples, classNames } = await imageFolder(folder);
    assert.deepEqual(classNames, ["x & <y>\n", "z"]);
    assert.equal(samples.length, 12);
    for (const { image } of samples) assert.equal((await decodePixels(image)).width, 2);
  });
});

Deno.test("imageFolder() follows links, and circles of links end", async () => {
  await inFolder({ "set/cat/1.png": png, "set/dog/1.png": png, "elsewhere/2.png": png }, async (folder) => {
    await Deno.symlink(join(folder, "set"), join(folder, "set/cat/circle"));
    await Deno.symlink(join(folder, "set/cat"), join(folder, "set/cat/self"));
    await Deno.symlink(join(folder, "elsewhere"), join(folder, "set/dog/linked"));
    await Deno.symlink(join(folder, "elsewhere/2.png"), join(folder, "set/dog/link.png"));
    await Deno.symlink("ouroboros.png", join(folder, "set/dog/ouroboros.png"));
    await Deno.symlink(join(folder, "gone.png"), join(folder, "set/dog/gone.png"));
    const names = (await imageFolder(join(folder, "set"))).samples.map(({ name }) => name);
    assert.deepEqual(names.filter((name) => name.startsWith("dog/")), [
      "dog/1.png",
      "dog/gone.png", // reading it will say that it is not there
      "dog/link.png",
      "dog/linked/2.png",
      "dog/ouroboros.png",
    ]);
    assert.deepEqual(names.filter((name) => name.startsWith("cat/")), ["cat/1.png"]);
  });
});

Deno.test("imageFolder() keeps the order of given class names, and classes without a folder", async () => {
  await inFolder({ "dog/1.png": png, "cat/1.png": png }, async (folder) => {
    const { classNames, samples } = await imageFolder(folder, { classNames: ["dog", "bird", "cat"] });
    assert.deepEqual(classNames, ["dog", "bird", "cat"]);
    assert.deepEqual(samples.map(({ label }) => label), [0, 2]);
    assert.equal(
      await failure(imageFolder(folder, { classNames: ["dog", "bird"] })),
      `Cannot open image folder "${folder}": 1 of 2 class folders are not among the classes: "cat"\n` +
        `  help: the classes given are "dog", "bird"`,
    );
  });
});

Deno.test("imageFolder() says what is wrong with a folder", async () => {
  await inFolder({
    "flat/1.png": png,
    "flat/2.jpg": png,
    "one/cat/1.png": png,
    "none/cat/notes.txt": "x",
    "none/dog/IMG_1.HEIC": "x",
    "bare/.keep": "",
    "file.png": png,
  }, async (folder) => {
    const at = (name: string) => join(folder, name);
    assert.equal(
      await failure(imageFolder(at("missing"))),
      `Cannot read folder "${at("missing")}": there is no such folder\n` +
        `  help: check the path; the current folder is "${Deno.cwd()}"`,
    );
    assert.equal(
      await failure(imageFolder(at("file.png"))),
      `Cannot read folder "${at("file.png")}": it is a file, not a folder`,
    );
    const help = "  help: put the pictures of each class into a folder with the name of the class";
    assert.equal(
      await failure(imageFolder(at("flat"))),
      `Cannot open image folder "${
        at("flat")
      }": it has no class folders, only 2 pictures that belong to no class\n${help}`,
    );
    assert.equal(
      await failure(imageFolder(at("bare"))),
      `Cannot open image folder "${at("bare")}": it has no class folders\n${help}`,
    );
    assert.equal(
      await failure(imageFolder(at("one"))),
      `Cannot make data set "one": at least two classes are needed, there is one, "cat"\n` +
        `  help: a classifier tells classes apart: add pictures of another class`,
    );
    assert.equal(
      await failure(imageFolder(at("none"))),
      `Cannot open image folder "${at("none")}": there are no pictures in its 2 class folders, ` +
        `only files like "cat/notes.txt", "dog/IMG_1.HEIC"\n` +
        `  help: pictures are .jpg .jpeg .png .webp .gif .bmp .tif .tiff files`,
    );
  });
});

Deno.test("imageFolder() says which folder may not be read", async () => {
  await inFolder({ "cat/1.png": png, "dog/1.png": png, "dog/closed/1.png": png }, async (folder) => {
    await Deno.chmod(folder, 0o755);
    await Deno.chmod(join(folder, "dog/closed"), 0);
    // Root may read everything, so as root this turns into another user.
    const script = `
      import process from "node:process";
      import { imageFolder } from ${
      JSON.stringify(new URL("../../lib/data/image_folder.ts", import.meta.url).href)
    };
      if (process.getuid() === 0) process.seteuid(65534);
      try { await imageFolder(${JSON.stringify(folder)}); } catch (error) { console.log(error.message); }`;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", script],
    }).output();
    await Deno.chmod(join(folder, "dog/closed"), 0o755);
    assert.equal(
      new TextDecoder().decode(stdout),
      `Cannot read folder "${join(folder, "dog/closed/")}": no permission to read it\n`,
      new TextDecoder().decode(stderr),
    );
  });
});

Deno.test("imageFolders() opens training, validation and test sets over the classes of the training set", async () => {
  for (const validation of ["val", "valid", "Validation"]) {
    await inFolder({
      "pets/train/cat/1.png": png,
      "pets/train/dog/2.png": png,
      [`pets/${validation}/dog/3.png`]: png,
      "pets/test/cat/4.png": png,
      "pets/extra/cat/5.png": png,
    }, async (folder) => {
      const pets = await imageFolders(join(folder, "pets"));
      assert.deepEqual(pets.classNames, ["cat", "dog"]);
      assert.deepEqual(pets.validation, {
        name: `pets/${validation}`,
        classNames: ["cat", "dog"],
        samples: [{
          image: join(folder, `pets/${validation}/dog/3.png`),
          label: 1,
          name: `${validation}/dog/3.png`,
        }],
      });
      assert.equal(pets.train.name, "pets/train");
      assert.equal(pets.test?.samples.length, 1);
    });
  }
  await inFolder({ "train/a/1.png": png, "train/b/1.png": png, "val/a/1.png": png }, async (folder) => {
    assert(!("test" in await imageFolders(folder)));
  });
});

Deno.test("imageFolders() takes the classes it is given, also one without pictures to train on", async () => {
  await inFolder({ "train/dog/1.png": png, "val/dog/2.png": png, "val/cat/3.png": png }, async (folder) => {
    const { classNames, train, validation } = await imageFolders(folder, { classNames: ["dog", "cat"] });
    assert.deepEqual(classNames, ["dog", "cat"]);
    assert.deepEqual(train.samples.map(({ label }) => label), [0]);
    assert.deepEqual(validation.samples.map(({ label }) => label), [0, 1]);
    assert.equal(
      await failure(imageFolders(folder, { classNames: ["dog", "bird"] })),
      `Cannot open image folder "${
        join(folder, "val")
      }": 1 of 2 class folders are not among the classes: "cat"\n` +
        `  help: the classes given are "dog", "bird"`,
    );
  });
});

Deno.test("imageFolders() says what is wrong with its folders", async () => {
  await inFolder({
    "unsplit/cat/1.png": png,
    "unsplit/dog/1.png": png,
    "twice/train/a/1.png": png,
    "twice/val/a/1.png": png,
    "twice/valid/a/1.png": png,
    "novel/train/cat/1.png": png,
    "novel/train/dog/1.png": png,
    "novel/val/cat/1.png": png,
    "novel/val/fox/1.png": png,
    "novel/val/owl/1.png": png,
  }, async (folder) => {
    const at = (name: string) => join(folder, name);
    assert.equal(
      await failure(imageFolders(at("unsplit"))),
      `Cannot open image folders "${
        at("unsplit")
      }": it has no "train" and no "val" folder, only "cat", "dog"\n` +
        `  help: for one folder of classes write split(await imageFolder("..."), { validation: 0.2 })`,
    );
    assert.equal(
      await failure(imageFolders(at("twice"))),
      `Cannot open image folders "${at("twice")}": more than one validation folder: "val", "valid"\n` +
        `  help: keep one of them`,
    );
    assert.equal(
      await failure(imageFolders(at("novel"))),
      `Cannot open image folder "${
        at("novel/val")
      }": 2 of 3 class folders are not among the classes of "train": ` +
        `"fox", "owl"\n  help: the classes of "train" are "cat", "dog"`,
    );
  });
});
