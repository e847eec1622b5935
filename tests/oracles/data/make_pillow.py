"""Pictures of every kind, and what Pillow makes of them: the oracle of decode_test.ts, resize_test.ts and
random_crop_test.ts.

    pip install pillow==13.0.0 scikit-image==0.26.0 tifffile && python make_pillow.py

Writes pictures/*, photo.png and pillow_*.json. The photograph is `chelsea` of scikit-image (CC0, Stefan van der Walt).
"""
import base64, json, pathlib, struct, zlib
import numpy as np
import skimage.data
import tifffile
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
folder = here / "pictures"
folder.mkdir(exist_ok=True)
photo = Image.fromarray(skimage.data.chelsea()).crop((90, 30, 290, 180))
small = photo.resize((29, 23), Image.BICUBIC)
grey = small.convert("L")
alpha = small.copy()
alpha.putalpha(Image.fromarray((np.add.outer(np.arange(23) * 9, np.arange(29) * 3) % 256).astype(np.uint8)))
palette = small.quantize(64)


def save(name, image, **options):
    image.save(folder / name, **options)


# JPEG
save("rgb.jpg", small, quality=88)
save("rgb_444.JPEG", small, quality=88, subsampling=0)
save("progressive.jpg", small, quality=88, progressive=True)
save("grey.jpg", grey)
save("cmyk.jpg", small.convert("CMYK"), quality=90)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x112] = orientation
    save(f"exif_{orientation}.jpg", small, exif=exif, quality=90)
# PNG
save("rgb.png", small)
save("grey.PNG", grey)
save("bit.png", small.convert("1"))
save("grey_alpha.png", alpha.convert("LA"))
save("palette.png", palette)
save("palette_16.png", small.quantize(16))
save("palette_alpha.png", palette, transparency=3)
save("rgba.png", alpha)
rgb16 = (np.asarray(small).astype(np.uint16) * 256 + np.arange(29)[None, :, None]).astype(np.uint16)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb16)
(folder / "rgb_16.png").write_bytes(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 29, 23, 16, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
grey16 = np.asarray(grey).astype(np.uint16) * 256 + 77
Image.fromarray(grey16).save(folder / "grey_16.png")
# WebP, GIF, TIFF
save("lossy.webp", small, quality=80)
save("lossless.webp", small, lossless=True)
save("rgba.webp", alpha, lossless=True, exact=True)
save("still.gif", small)
save("animated.gif", small, save_all=True, append_images=[small.transpose(Image.FLIP_LEFT_RIGHT)])
save("transparent.gif", alpha)
save("rgb.tif", small)
save("lzw.tiff", small, compression="tiff_lzw")
save("jpeg.tif", small, compression="jpeg")
save("fax.tif", small.convert("1"), compression="group4")
save("palette.tif", palette)
save("rgba.tif", alpha)
save("cmyk.tif", small.convert("CMYK"))
tifffile.imwrite(folder / "rgb_16.tif", rgb16, photometric="rgb")
Image.fromarray(grey16).save(folder / "grey_16.tif")
# BMP
save("rgb.bmp", small)
save("palette.bmp", palette)
save("grey.bmp", grey)
save("bit.bmp", small.convert("1"))
save("rgba.bmp", alpha)


def bmp(name, bits, rows, height=23, compression=0, table=b"", masks=b"", size=40):
    """rows: bytes of the pixel array, already padded."""
    offset = 14 + size + len(masks) + len(table)
    if size == 12:
        header = struct.pack("<IHHHH", 12, 29, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, 29, height, 1, bits, compression, len(rows), 2835, 2835, 0, 0)
    (folder / name).write_bytes(
        b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + masks + table + rows)


array = np.asarray(small)
pad = lambda row: row + b"\0" * (-len(row) % 4)
bmp("top_down.bmp", 24, b"".join(pad(row[:, ::-1].tobytes()) for row in array), height=-23)
pixels555 = ((array[..., 0] >> 3).astype(np.uint16) << 10) | ((array[..., 1] >> 3).astype(np.uint16) << 5) | (array[..., 2] >> 3)
bmp("rgb_555.bmp", 16, b"".join(pad(row.astype("<u2").tobytes()) for row in pixels555[::-1]))
pixels565 = ((array[..., 0] >> 3).astype(np.uint16) << 11) | ((array[..., 1] >> 2).astype(np.uint16) << 5) | (array[..., 2] >> 3)
bmp("rgb_565.bmp", 16, b"".join(pad(row.astype("<u2").tobytes()) for row in pixels565[::-1]), compression=3,
    masks=struct.pack("<III", 0xF800, 0x07E0, 0x001F))
indices = np.asarray(small.quantize(16))
colours = np.asarray(small.quantize(16).getpalette()[:48], np.uint8).reshape(-1, 3)
table4 = b"".join(bytes([b, g, r, 0]) for r, g, b in colours)
packed = lambda row: bytes((row[i] << 4) | (row[i + 1] if i + 1 < len(row) else 0) for i in range(0, len(row), 2))
bmp("palette_16.bmp", 4, b"".join(pad(packed(row)) for row in indices[::-1]), table=table4)
bmp("os2.bmp", 4, b"".join(pad(packed(row)) for row in indices[::-1]), size=12,
    table=b"".join(bytes([b, g, r]) for r, g, b in colours))


def rle8(row):
    out, x = b"", 0
    while x < len(row):
        run = 1
        while x + run < len(row) and row[x + run] == row[x]:
            run += 1
        if run == 1 and x + 3 <= len(row):  # three as they are, padded to four bytes
            out += bytes([0, 3, row[x], row[x + 1], row[x + 2], 0])
            x += 3
        else:
            out += bytes([run, row[x]])
            x += run
    return out + b"\0\0"


table8 = table4 + b"\0" * (1024 - len(table4))
bmp("rle8.bmp", 8, b"".join(rle8(list(row)) for row in indices[::-1]) + b"\0\1", compression=1, table=table8)
rle4 = lambda row: b"".join(bytes([2, (row[i] << 4) | row[i + 1]]) if i + 1 < len(row) else bytes([1, row[i] << 4])
                            for i in range(0, len(row), 2)) + b"\0\0"
bmp("rle4.bmp", 4, b"".join(rle4([int(v) for v in row]) for row in indices[::-1]) + b"\0\1", compression=2, table=table4)

# What Pillow reads
decoded = {}
for path in sorted(folder.iterdir()):
    image = ImageOps.exif_transpose(Image.open(path))
    if path.name.startswith("grey_16"):  # Pillow would clip to white: the upper 8 bits are wanted
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGB")
    decoded[path.name] = {"width": image.width, "height": image.height,
                          "pixels": base64.b64encode(image.tobytes()).decode()}

# What Pillow resizes to
save("../photo.png", photo.resize((90, 67), Image.LANCZOS), optimize=True)
source = Image.open(here / "photo.png").convert("RGB")
resized = [
    {"width": w, "height": h, "interpolation": name,
     "pixels": base64.b64encode(source.resize((w, h), kernel).tobytes()).decode()}
    for w, h in [(32, 24), (90, 40), (45, 67), (100, 75), (7, 5), (1, 1), (89, 70)]
    for name, kernel in [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)]
]
large = source.resize((round(90 * 1.125), round(67 * 1.125)), Image.BILINEAR)
crops = [{"left": x, "top": y, "pixels": base64.b64encode(large.crop((x, y, x + 90, y + 67)).tobytes()).decode()}
         for x, y in [(0, 0), (11, 8), (5, 3)]]
(here / "pillow_decoded.json").write_text(json.dumps(decoded, indent=0))
(here / "pillow_resized.json").write_text(json.dumps({"resized": resized, "crops": crops}, indent=0))
