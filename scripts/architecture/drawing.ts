import { findDownwardImports, roomOf, type Import } from './imports.ts';
import { FLOORS, ROOMS, type Floor } from './rooms.ts';

const WIDTH = 960;
const MARGIN = 16;
/** The floors begin here; the arrows are on their left. */
const FLOOR_LEFT = 164;
const FLOOR_GAP = 28;
const HEADING = 34;
const PADDING = 12;
const BOXES_A_ROW = 5;
const BOX = { width: 144, height: 48, gap: 8 };
/** Between two vertical lines, and between two arrows that begin or end at one floor. */
const LANE = 30;
const STEP = 13;
const LINE = 20;

/** Colours of a page on GitHub, in its light and its dark theme. */
const STYLE = `
    text { font-family: system-ui, sans-serif; fill: #1f2328; }
    .heading { font-size: 14px; font-weight: 600; }
    .room { font-size: 13px; font-weight: 600; text-anchor: middle; }
    .note { font-size: 11px; fill: #59636e; text-anchor: middle; }
    .count { font-size: 12px; fill: #59636e; text-anchor: end; }
    .floor { fill: #f6f8fa; stroke: #d1d9e0; }
    .box { fill: #ffffff; stroke: #818b98; }
    .arrow { fill: none; stroke: #59636e; stroke-width: 1.25; }
    .head { fill: #59636e; }
    .broken { font-size: 12px; fill: #cf222e; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .note, .count { fill: #9198a1; }
      .floor { fill: #151b23; stroke: #3d444d; }
      .box { fill: #0d1117; stroke: #656c76; }
      .arrow { stroke: #9198a1; }
      .head { fill: #9198a1; }
      .broken { fill: #f85149; }
    }`;

/** All imports of one room by another, as one. */
interface Link {
  from: string;
  to: string;
}

interface PlacedFloor {
  floor: Floor;
  top: number;
  height: number;
}

/**
 * Returns the text of docs/architecture.svg: the rooms as boxes on their floors, and one arrow for all
 * imports of one floor by another. Numbers count rooms, not imports, so that the picture changes only
 * when a room starts or stops to use another. Imports that break the order are listed in red.
 */
export function drawArchitecture(imports: Import[]): string {
  const links = linkRooms(imports);
  const broken = linkRooms(findDownwardImports(imports));
  const floors = placeFloors();
  const last = floors.at(-1)!;
  const bottom = last.top + last.height + MARGIN;
  const height = bottom + broken.length * LINE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    '  <title>The rooms of app/, and the imports between their floors</title>',
    `  <style>${STYLE}\n  </style>`,
    ...floors.flatMap((placed) => drawFloor(placed, links)),
    ...drawArrows(floors, links),
    ...broken.map(
      ({ from, to }, index) =>
        `  <text class="broken" x="${FLOOR_LEFT}" y="${bottom + (index + 1) * LINE - 8}">` +
        `${from} imports ${to}, which comes later in the list</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

function linkRooms(imports: Import[]): Link[] {
  const byName = new Map<string, Link>();
  for (const { from, to } of imports) {
    const link = { from: roomOf(from), to: roomOf(to) };
    if (link.from !== link.to) byName.set(`${link.from} ${link.to}`, link);
  }
  return [...byName.values()];
}

function placeFloors(): PlacedFloor[] {
  let top = MARGIN;
  return FLOORS.map((floor) => {
    const rows = Math.ceil(floor.rooms.length / BOXES_A_ROW);
    const height = HEADING + rows * (BOX.height + BOX.gap) + PADDING - BOX.gap;
    const placed = { floor, top, height };
    top += height + FLOOR_GAP;
    return placed;
  });
}

function drawFloor({ floor, top, height }: PlacedFloor, links: Link[]): string[] {
  const width = WIDTH - FLOOR_LEFT - MARGIN;
  return [
    `  <rect class="floor" x="${FLOOR_LEFT}" y="${top}" width="${width}" height="${height}" rx="8"/>`,
    `  <text class="heading" x="${FLOOR_LEFT + PADDING}" y="${top + 22}">${floor.name}</text>`,
    ...floor.rooms.flatMap((name, index) => {
      const column = index % BOXES_A_ROW;
      const row = Math.floor(index / BOXES_A_ROW);
      const x = FLOOR_LEFT + PADDING + column * (BOX.width + BOX.gap);
      return drawRoom(name, x, top + HEADING + row * (BOX.height + BOX.gap), links);
    }),
  ];
}

function drawRoom(name: string, x: number, y: number, links: Link[]): string[] {
  const middle = x + BOX.width / 2;
  const uses = links.filter(({ from }) => from === name).length;
  const users = links.filter(({ to }) => to === name).length;
  const title = `${ROOMS.indexOf(name) + 1}. ${name}`;
  return [
    `  <rect class="box" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/>`,
    `  <text class="room" x="${middle}" y="${y + 20}">${title}</text>`,
    `  <text class="note" x="${middle}" y="${y + 37}">uses ${uses}, used by ${users}</text>`,
  ];
}

/** Draws an arrow from each floor to each earlier one that it imports, on the left of the floors. */
function drawArrows(floors: PlacedFloor[], links: Link[]): string[] {
  const floorOf = (room: string) => FLOORS.findIndex(({ rooms }) => rooms.includes(room));
  return floors.flatMap((_, from) =>
    floors.slice(0, from).flatMap((__, to) => {
      const isBetween = (link: Link) => floorOf(link.from) === from && floorOf(link.to) === to;
      const count = links.filter(isBetween).length;
      return count === 0 ? [] : drawArrow(floors, from, to, count);
    }),
  );
}

function drawArrow(floors: PlacedFloor[], from: number, to: number, count: number): string[] {
  const distance = from - to;
  // Arrows that pass the same floor get vertical lines of their own.
  const lane = distance === 1 ? 0 : distance === 2 ? 1 + (to % 2) : 3;
  const x = FLOOR_LEFT - 24 - lane * LANE;
  const start = floors[from]!.top + distance * STEP;
  const { top, height } = floors[to]!;
  const end = top + height - distance * STEP;
  const label = (start + end) / 2 + 4;
  return [
    `  <path class="arrow" d="M${FLOOR_LEFT} ${start}H${x}V${end}H${FLOOR_LEFT - 7}"/>`,
    `  <path class="head" d="M${FLOOR_LEFT} ${end}l-8 -4v8z"/>`,
    `  <text class="count" x="${x - 4}" y="${label}">${count}</text>`,
  ];
}
