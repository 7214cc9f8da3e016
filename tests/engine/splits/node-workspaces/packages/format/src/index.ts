export const price = (value: number): string => `${value}.00`;
