// The name of this open page, by which Baton knows that the person is there.

export const page = crypto.randomUUID();
