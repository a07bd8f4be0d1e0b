import { Xoshiro128 } from '../channel/physics-random.ts';

/**
 * A quasi-cyclic low-density parity-check matrix of `rows`·Z checks over `columns`·Z bits: a base matrix in which an entry is
 * the identity of size Z, cyclically shifted. Edges are stored row by row.
 */
export interface LdpcCode {
  readonly columns: number;
  readonly rows: number;
  /** Edges of base row r are those from `rowStart[r]` to `rowStart[r + 1]`. */
  readonly rowStart: Int32Array;
  /** The first bit of the column an edge belongs to. */
  readonly edgeBit: Int32Array;
  /** Check z of the row contains bit (z + shift) mod Z of the column. */
  readonly edgeShift: Int32Array;
}

/** The lifting factor: a power of two. Also the granularity of rates, in bits. */
export const LIFT = 64;

/** How many shifts are tried for an edge before a cycle of length 4 is accepted. */
const SHIFT_TRIES = 24;

/**
 * Column weights of a base matrix. Most columns have weight 3; up to a fraction of the number of rows have weight 2 and lie on
 * one chain, so that they form no short cycle; a fifth have a high weight. The fractions were found by simulating some hundred
 * candidates at 1.5, 3 and 5 % (bench/src/bb84.mjs measures the result).
 */
function columnWeights(columns: number, rows: number): Uint8Array {
  const weights = new Uint8Array(columns).fill(3);
  const heavy = Math.round((5 * rows < columns ? 0.3 : 0.2) * columns);
  weights.fill(2, 0, Math.min(Math.round(0.8 * rows), rows - 1, columns - heavy));
  weights.fill(Math.min(12, rows), columns - heavy);
  return weights;
}

/**
 * Builds the code for a size, always the same one: both sides derive it alike, so none is ever sent or stored. Progressive edge
 * growth on the base matrix (Hu, Eleftheriou, Arnold, IEEE Trans. Inf. Theory 51(1), 2005): each edge goes to a row of least
 * weight, with a shift that closes no cycle of length 4 where one is found.
 */
export function buildCode(columns: number, rows: number, weights = columnWeights(columns, rows)): LdpcCode {
  const random = new Xoshiro128(columns * 65536 + rows);
  const below = (limit: number): number => Math.floor((random.next() / 2 ** 32) * limit);
  // shift[column * rows + row], −1 where there is no edge.
  const shifts = new Int16Array(columns * rows).fill(-1);
  const rowColumns: number[][] = Array.from({ length: rows }, () => []);

  const closesFourCycle = (column: number, row: number, shift: number, taken: readonly number[]): boolean =>
    taken.some((other) => {
      const difference = shift - (shifts[column * rows + other] as number);
      return (rowColumns[row] as number[]).some((neighbour) => {
        const there = shifts[neighbour * rows + other] as number;
        return there >= 0 && (((shifts[neighbour * rows + row] as number) - there - difference) & (LIFT - 1)) === 0;
      });
    });

  for (let column = 0; column < columns; column++) {
    const weight = weights[column] as number;
    const taken: number[] = [];
    for (let k = 0; k < weight; k++) {
      const row = weight === 2 && column + 1 < rows ? column + k : lightestRow(rowColumns, taken, below);
      let shift = below(LIFT);
      for (let tries = 1; tries < SHIFT_TRIES && closesFourCycle(column, row, shift, taken); tries++) shift = below(LIFT);
      shifts[column * rows + row] = shift;
      taken.push(row);
    }
    for (const row of taken) (rowColumns[row] as number[]).push(column);
  }
  return flatten(columns, rows, rowColumns, shifts);
}

function lightestRow(rowColumns: readonly number[][], taken: readonly number[], below: (limit: number) => number): number {
  let least = Infinity;
  let candidates: number[] = [];
  for (let row = 0; row < rowColumns.length; row++) {
    const weight = (rowColumns[row] as number[]).length;
    if (weight > least || taken.includes(row)) continue;
    if (weight < least) candidates = [];
    least = weight;
    candidates.push(row);
  }
  return candidates[below(candidates.length)] as number;
}

function flatten(columns: number, rows: number, rowColumns: readonly number[][], shifts: Int16Array): LdpcCode {
  const rowStart = new Int32Array(rows + 1);
  const edgeBit: number[] = [];
  const edgeShift: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (const column of rowColumns[row] as number[]) {
      edgeBit.push(column * LIFT);
      edgeShift.push(shifts[column * rows + row] as number);
    }
    rowStart[row + 1] = edgeBit.length;
  }
  return { columns, rows, rowStart, edgeBit: Int32Array.from(edgeBit), edgeShift: Int32Array.from(edgeShift) };
}

/**
 * The code with its first `count` base rows split in two: every other edge moves to a new row at the end. The weights of the
 * columns, and with them the quality of the code, stay as they are; the old check is the sum of the two new ones, so telling the
 * new rows' syndrome is all it takes (Varodayan, Aaron, Girod, Signal Processing 86(11), 2006, vary rates likewise).
 */
export function splitRows(code: LdpcCode, count: number): LdpcCode {
  const rowStart = new Int32Array(code.rows + count + 1);
  const order: number[] = [];
  const add = (row: number, first: number, step: number): void => {
    for (let edge = (code.rowStart[row] as number) + first; edge < (code.rowStart[row + 1] as number); edge += step)
      order.push(edge);
  };
  for (let row = 0; row < code.rows + count; row++) {
    if (row < count) add(row, 0, 2);
    else if (row < code.rows) add(row, 0, 1);
    else add(row - code.rows, 1, 2);
    rowStart[row + 1] = order.length;
  }
  const { edgeBit, edgeShift } = code;
  return {
    columns: code.columns,
    rows: code.rows + count,
    rowStart,
    edgeBit: Int32Array.from(order, (edge) => edgeBit[edge] as number),
    edgeShift: Int32Array.from(order, (edge) => edgeShift[edge] as number),
  };
}

/** The syndrome of `columns`·Z bits, one element each: `rows`·Z elements. */
export function syndromeOf(code: LdpcCode, bits: Uint8Array): Uint8Array {
  const { rows, rowStart, edgeBit, edgeShift } = code;
  const out = new Uint8Array(rows * LIFT);
  for (let row = 0; row < rows; row++) {
    for (let edge = rowStart[row] as number; edge < (rowStart[row + 1] as number); edge++) {
      const first = edgeBit[edge] as number;
      const shift = edgeShift[edge] as number;
      for (let z = 0; z < LIFT; z++) {
        const check = row * LIFT + z;
        out[check] = (out[check] as number) ^ (bits[first + ((z + shift) & (LIFT - 1))] as number);
      }
    }
  }
  return out;
}
