/** In place of the code editor. */
export {};
