import { reportImage } from "../support/image-report.ts"

/** All of the checklist on the profile of which `npm test` checks the cheap part. */
describe("golden image, profile desktop, in full", () => reportImage("desktop", "full"))
