/** Who asks for what the schedule of backups begins. */
export const SCHEDULE = "schedule"
