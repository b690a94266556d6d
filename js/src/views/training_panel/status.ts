/** What the kernel says of a training. */

export interface Status {
  state: "idle" | "running" | "paused" | "finished" | "stopped" | "interrupted" | "failed";
  control: "running" | "paused" | "stopping";
  holding: boolean;
  /** The binding is closed or has failed. */
  closed: boolean;
  /** What is said of a recording; empty for a training. */
  recording: string;
  /** Whether what is clicked reaches the training. */
  steered: boolean;
  step: number;
  epoch: number | null;
  epochs: number | null;
  /** Batches done, and how many there are, where that is known. */
  done: number;
  total: number | null;
  /** Steps a second: of late, and over all steps. */
  rate: number;
  mean_rate: number;
  /** How the layers of kan_widgets compute; empty where the model has none, or in a recording. */
  kernels: string;
  /** Times as they are written: the training time, what remains of it, and what it was asked to be; "" where one is not known. */
  elapsed: string;
  remaining: string;
  paced: string;
  share: number;
  source: string;
  message: string;
  traceback: string;
  output: string;
  every: number;
  rates: number[];
  reports: string[];
  alarms: Alarm[];
  /** What was done last against one, and whether that can be undone. */
  cured: { text: string; undo: boolean } | null;
}

/** Something that goes wrong. */
export interface Alarm {
  id: string;
  /** What, where and since when. */
  text: string;
  /** The likely cause, and the cure. */
  more: string;
  /** What can be done about it from here; may be empty. */
  button: string;
}

const EMPTY: Status = {
  state: "idle",
  control: "running",
  holding: false,
  closed: false,
  recording: "",
  steered: false,
  step: 0,
  epoch: null,
  epochs: null,
  done: 0,
  total: null,
  rate: 0,
  mean_rate: 0,
  kernels: "",
  elapsed: "",
  remaining: "",
  paced: "",
  share: 0,
  source: "",
  message: "",
  traceback: "",
  output: "",
  every: 1,
  rates: [],
  reports: [],
  alarms: [],
  cured: null,
};

export function statusOf(value: unknown): Status {
  return { ...EMPTY, ...(value as Partial<Status>) };
}

export interface Traits {
  status: unknown;
  /** The widget's own id. */
  own: string;
  theme: "auto" | "light" | "dark";
  [name: string]: unknown;
}
