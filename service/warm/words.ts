/** Whose spare machines are, as an owner in records, specs and labels, and who begins what is done to them. No user has this id. */
export const WARM_POOL = "warm-pool"

export const isSpare = ({ owner }: { owner: string }): boolean => owner === WARM_POOL

/** Why a spare machine has failed whose record was lost: it did come to be. */
export const SPARE_UNKNOWN = "spare-unknown"
