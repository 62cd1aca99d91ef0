/** A data folder that can't be used, with what to do about it. */
export class DataFolderError extends Error {}
