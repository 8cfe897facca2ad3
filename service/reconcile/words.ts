/** Who asks for what the reconciler begins. */
export const RECONCILER = "reconciler"
