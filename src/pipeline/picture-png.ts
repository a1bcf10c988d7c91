import { createCanvas } from '@napi-rs/canvas';
import type { Picture } from '../objects/secondary-capture';

/** Encodes a picture as PNG, reduced to at most this longest side (pixels). */
export function pictureToPng({ rows, columns, rgb }: Picture, longestSide = Infinity): Uint8Array {
  const large = createCanvas(columns, rows);
  const image = large.getContext('2d').createImageData(columns, rows);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4)
    image.data.set([rgb[from]!, rgb[from + 1]!, rgb[from + 2]!, 255], to);
  large.getContext('2d').putImageData(image, 0, 0);
  const scale = Math.min(1, longestSide / Math.max(rows, columns));
  if (scale === 1) return large.toBuffer('image/png');
  const small = createCanvas(Math.round(columns * scale), Math.round(rows * scale));
  const pen = small.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(large, 0, 0, small.width, small.height);
  return small.toBuffer('image/png');
}
