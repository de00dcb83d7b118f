/** The icon set: path data on a 20 px grid, drawn with a 1.5 px stroke by `icon()`. */

export const CHAT =
  "M3 5.5A2.5 2.5 0 0 1 5.5 3h9A2.5 2.5 0 0 1 17 5.5v6a2.5 2.5 0 0 1-2.5 2.5H9l-4 3v-3.05A2.5 2.5 0 0 1 3 11.5z";
export const BELL = "M5 8a5 5 0 0 1 10 0c0 4 2 6 2 6H3s2-2 2-6M8.5 17h3";
export const CLOSE = "m5 5 10 10M15 5 5 15";
export const DOWN = "m5 8 5 5 5-5";
export const SEND = "M10 16V4M5 9l5-5 5 5";
export const STOP = "M6 6h8v8H6z";
export const OUT = "M8 5h7v7M15 5l-9 9";
export const STAR = "m10 2.8 2.2 4.6 5 .7-3.6 3.5.9 5L10 14.2l-4.5 2.4.9-5L2.8 8.1l5-.7z";
