// Where each light hangs: groups with a sign above them, lights in rows, all in content pixels.

const SIGN = 30; // height of a sign
const GAP = 14; // below a group, and between columns of groups
const NARROW = 200; // width of a column when there are many small groups
const MANY = 8;
const HUGE = 6; // times what is usual: such a group gets the whole width
const EDGE = 12;
const LIFTED = 0.07; // of the distance between lights, where there are labels below them
/** Pixels between lights, from which their numbers are written below them. */
export const LABELS_FROM = 72;
const SIZES = [96, 84, 72, 64, 56, 48, 42, 36, 32, 28, 24, 21, 18, 16, 14, 12, 11, 10, 9, 8, 7, 6, 5];
const SCROLLED = 14;

/** Share out `indices` by `keyOf`: [{ key, indices }], in the order of `rank(key)`. */
export function groups(indices, keyOf, rank) {
  const found = new Map();
  for (const index of indices) {
    const key = keyOf(index);
    const group = found.get(key);
    if (group) group.push(index);
    else found.set(key, [index]);
  }
  return [...found].map(([key, members]) => ({ key, indices: members }))
    .sort((a, b) => Math.sign(rank(a.key) - rank(b.key)) || String(a.key).localeCompare(String(b.key), undefined, { numeric: true }));
}

/** Return where everything hangs in `width` pixels, with one light every `pitch` pixels. */
export function hang(grouped, width, pitch, count, signs = true) {
  const { blocks, height } = blocksOf(grouped, width, pitch, signs);
  const layout = {
    pitch, width, height, blocks, order: new Uint32Array(grouped.reduce((sum, group) => sum + group.indices.length, 0)),
    x: new Float32Array(count), y: new Float32Array(count), slot: new Int32Array(count).fill(-1),
  };
  for (const block of blocks) place(layout, block);
  return layout;
}

function blocksOf(grouped, width, pitch, signs) {
  const inner = Math.max(pitch, width - 2 * EDGE);
  const typical = median(grouped.map((group) => group.indices.length));
  const columns = columnsFor(grouped.length, typical, inner, pitch);
  const narrow = (inner - (columns - 1) * GAP) / columns;
  const bottoms = new Array(columns).fill(EDGE);
  const blocks = [];
  let first = 0;
  for (const { key, indices } of grouped) {
    const wide = columns === 1 || indices.length > HUGE * typical; // over all columns
    const bottom = wide ? Math.max(...bottoms) : Math.min(...bottoms);
    const column = wide ? 0 : bottoms.indexOf(bottom);
    const across = Math.max(1, Math.floor((wide ? inner : narrow) / pitch));
    const sign = signs ? SIGN : 0;
    const height = sign + Math.ceil(indices.length / across) * pitch;
    blocks.push({ key, indices, across, first, x: EDGE + column * (narrow + GAP), y: bottom, width: wide ? inner : narrow, sign, height });
    first += indices.length;
    if (wide) bottoms.fill(bottom + height + GAP);
    else bottoms[column] = bottom + height + GAP;
  }
  return { blocks, height: Math.max(...bottoms) - (grouped.length ? GAP : 0) + EDGE };
}

function columnsFor(many, typical, inner, pitch) {
  if (many < MANY) return 1;
  const wanted = Math.max(NARROW, Math.min(inner, Math.ceil(Math.sqrt(typical) * 1.6) * pitch));
  return Math.max(1, Math.floor((inner + GAP) / (wanted + GAP)));
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

function place(layout, block) {
  const lift = layout.pitch >= LABELS_FROM ? LIFTED * layout.pitch : 0;
  block.indices.forEach((index, n) => {
    layout.x[index] = block.x + (n % block.across + 0.5) * layout.pitch;
    layout.y[index] = block.y + block.sign + (Math.floor(n / block.across) + 0.5) * layout.pitch - lift;
    layout.slot[index] = block.first + n;
    layout.order[block.first + n] = index;
  });
}

/** Say whether two layouts hang the same devices at the same places. */
export function same(one, other) {
  return one.pitch === other.pitch && one.width === other.width && one.height === other.height
    && one.order.length === other.order.length && one.order.every((index, slot) => index === other.order[slot])
    && one.blocks.every((block, n) => block.first === other.blocks[n]?.first);
}

/** Return the largest size at which everything fits into a view, or one that is good to scroll. */
export function fitting(grouped, width, height, signs = true) {
  return SIZES.find((pitch) => blocksOf(grouped, width, pitch, signs).height <= height) ?? SCROLLED;
}

/** Return the device whose light hangs at a point of the content, or -1. */
export function at(layout, x, y) {
  for (const block of layout.blocks) {
    const column = Math.floor((x - block.x) / layout.pitch);
    const row = Math.floor((y - block.y - block.sign) / layout.pitch);
    if (column < 0 || column >= block.across || row < 0 || x > block.x + block.width) continue;
    const n = row * block.across + column;
    if (n < block.indices.length) return block.indices[n];
  }
  return -1;
}

/** Return the device that an arrow key leads to from `index`; itself at an end. */
export function beside(layout, index, key) {
  const slot = layout.slot[index];
  if (slot < 0) return layout.order.length ? layout.order[0] : -1;
  const last = layout.order.length - 1;
  if (key === "ArrowLeft") return layout.order[Math.max(0, slot - 1)];
  if (key === "ArrowRight") return layout.order[Math.min(last, slot + 1)];
  if (key === "Home") return layout.order[0];
  if (key === "End") return layout.order[last];
  const number = layout.blocks.findIndex((block) => slot < block.first + block.indices.length);
  const block = layout.blocks[number];
  const n = slot - block.first;
  if (key === "ArrowUp") {
    if (n >= block.across) return layout.order[slot - block.across];
    const above = layout.blocks[number - 1];
    return above ? above.indices[lastRow(above, n % block.across)] : index;
  }
  if (n + block.across < block.indices.length) return layout.order[slot + block.across];
  const rows = Math.ceil(block.indices.length / block.across);
  if (Math.floor(n / block.across) < rows - 1) return block.indices.at(-1); // the last row is shorter
  const below = layout.blocks[number + 1];
  return below ? below.indices[Math.min(n % block.across, below.indices.length - 1)] : index;
}

function lastRow(block, column) {
  const start = Math.floor((block.indices.length - 1) / block.across) * block.across;
  return Math.min(start + column, block.indices.length - 1);
}
