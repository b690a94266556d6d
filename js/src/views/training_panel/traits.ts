/** The status in the view's traits. */

import { statusOf } from "./status.ts";

export const statusIn = (get: (trait: string) => unknown) => statusOf(get("status"));
