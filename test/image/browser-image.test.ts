import { reportImage } from "../support/image-report.ts"

/** One profile with everything, as `foozol-cloud image build` checks it; the other's cheap part is beside this. */
describe("golden image, profile browser", () => reportImage("browser", "full"))
