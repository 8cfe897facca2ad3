import { sleepsAndWakes } from "../support/sleeps-and-wakes.ts"

sleepsAndWakes("hibernate")
